"""Encode cells as the matrix that networks see, and decode it."""
