"""A first look at data before anything is learned: what is found (`inspection`), and as text (`report`)."""
