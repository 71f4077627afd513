"""Drill guides for pedicle screws, thoracic and lumbar."""

from guidegen.procedures.pedicle_screws.procedure import PedicleScrews

__all__ = ["PedicleScrews"]
