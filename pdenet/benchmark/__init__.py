"""Benchmarks: known equations found again, by this project and by its peers, every run in a process of its own."""
