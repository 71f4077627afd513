"""Stage 7: files: the case folder, STL, 3MF, manifest, 3D Slicer."""
