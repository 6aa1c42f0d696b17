"""One picture from its samples to restored samples: noise, stopping time, path, whole or in tiles."""
