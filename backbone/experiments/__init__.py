"""Experiments: what a system of the backbone is worth, measured over seeds, one file each."""
