"""Kyphoplasty: needles into fractured vertebral bodies, models and templates."""

from guidegen.procedures.kyphoplasty.procedure import Kyphoplasty

__all__ = ["Kyphoplasty"]
