"""AVIF of more than 8 bits a sample, by libavif."""
