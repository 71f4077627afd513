"""Pedicle-screw drill guides."""
