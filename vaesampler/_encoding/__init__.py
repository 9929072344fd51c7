"""Cells to the matrix that the networks see, and back."""
