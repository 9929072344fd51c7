"""Training of a stack of VAEs: batches, gradients, optimizer and early stopping."""
