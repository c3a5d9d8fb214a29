"""The version of pstack; setup.cfg reads it."""

__version__ = "0.1.0"
