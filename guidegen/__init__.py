"""From a patient's CT to a checked, 3D-printable surgical guide."""

__version__ = "0.1.0"
