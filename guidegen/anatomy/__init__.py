"""Stage 3: Bone (+ CTVolume) -> Landmarks. A new anatomy is one file."""
