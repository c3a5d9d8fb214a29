"""Runs again what is saved, and tells what changed."""
