"""Many picture files through one restorer: reading, restoring, writing, and what is told about each."""
