"""The wheel in an environment that has nothing else, outside of the repository."""
