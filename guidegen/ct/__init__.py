"""Stage 1: INPUT -> CTVolume. The only readers of DICOM, NIfTI and NRRD."""
