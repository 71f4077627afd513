"""Many cases: data set, workers, summary."""
