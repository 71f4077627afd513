"""Knee replacement: cuts of femur and tibia, planned by stated rules."""
