"""PNG as it is written: filters by Pillow's arithmetic of whole images, Deflate by libdeflate."""
