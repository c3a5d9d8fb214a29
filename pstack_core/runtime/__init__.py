"""Running applications: the life of a run, its result and its exit status."""
