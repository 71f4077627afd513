"""Stage 8: the report and its figures."""
