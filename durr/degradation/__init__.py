"""Degradations: how clean pictures become what a restorer learns to repair."""
