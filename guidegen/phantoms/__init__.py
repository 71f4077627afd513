"""Parametric anatomy with known truth -> CT -> DICOM."""
