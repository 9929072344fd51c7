"""The model, in plain autograd code."""
