"""Benchmarks of restoration: pictures, protocols, methods, scores, and the policy against fixed steps."""
