"""Stage 2: CTVolume -> label map -> bones."""
