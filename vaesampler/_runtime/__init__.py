"""Seeds, devices, noise, progress and settings; independent of tables and VAEs."""
