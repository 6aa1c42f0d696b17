"""What a run of `learn` leaves behind for later: its `record` in equation.json, and the `reading` of such a run."""
