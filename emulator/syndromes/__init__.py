"""Rounds of detection events and where they come from."""
