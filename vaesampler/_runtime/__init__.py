"""What knows neither tables nor VAEs: seeds, devices, noise, progress."""
