"""Judge drawn rows by real rows, and choose which to keep."""
