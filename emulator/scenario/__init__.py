"""Scenario files: physical models, presets merged in, and where every value came from."""
