"""Image bytes to model input: decode, subtract the background, extract the digit, normalize. Pillow and numpy only."""
