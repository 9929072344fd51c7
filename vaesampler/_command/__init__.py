"""The command line: `vaesampler`, or `python -m vaesampler`."""
