"""PNG: Deflate by libdeflate; filters are undone by libspng, and applied by Pillow's arithmetic of whole images."""
