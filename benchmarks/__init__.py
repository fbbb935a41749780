"""Benchmarks, which print what they measure and never judge it."""
