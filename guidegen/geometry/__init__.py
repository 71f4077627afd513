"""Points, lines, planes and rigid motions (numpy only)."""
