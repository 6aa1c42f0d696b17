"""Training of the restorer: patches, loss, schedules and the run itself."""
