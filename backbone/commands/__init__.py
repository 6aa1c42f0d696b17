"""Commands on the backbone itself, and what every command shares."""
