"""Stage 6: what was exported is read back and measured."""
