"""Data of people's own in the formats they come in, read without running any code of theirs."""
