"""Stage 4: planning maths that knows no procedure."""
