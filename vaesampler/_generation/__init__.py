"""Class label to trained generator, and drawing from it."""
