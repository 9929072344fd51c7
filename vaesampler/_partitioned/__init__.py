"""Tables in partitions, of dask: surveyed, gathered in part, and appended to."""
