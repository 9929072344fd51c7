"""Which drawn rows are kept."""
