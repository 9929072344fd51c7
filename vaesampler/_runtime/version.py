"""The version of the library, where all rooms can read it."""

__version__ = "0.1.0"
