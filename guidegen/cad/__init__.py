"""Stage 5: guide parts as short pure functions."""
