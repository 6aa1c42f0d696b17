"""Checks that define the systems: measured numbers against the bounds they must keep, for the tests and the user."""
