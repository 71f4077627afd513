"""Knee replacement: cuts of femur and tibia, planned by stated rules, and their guides."""

from guidegen.procedures.knee.procedure import Knee

__all__ = ["Knee"]
