"""Train a generator for each class label, and draw rows from it."""
