"""Data with their units: `field`, whether its axes are periodic (`boundary`), and how noisy it is (`noise`)."""
