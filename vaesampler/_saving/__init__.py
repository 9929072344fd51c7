"""Fitted samplers as files without pickles, and back."""
