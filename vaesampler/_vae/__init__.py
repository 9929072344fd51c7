"""The variational autoencoder, in plain autograd code."""
