"""Kyphoplasty: needles into fractured vertebral bodies, models and templates."""
