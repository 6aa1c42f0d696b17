"""What JPEG leaves in a picture: how strongly it was compressed, on which grid of blocks, whether it was resized."""
