"""Solids, distance fields, mesh quality and files."""
