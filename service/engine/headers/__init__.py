"""What the first bytes of each format tell: one module per format, none of which decodes a pixel.

Every module offers `header(source)`, which gives the Header or raises Undecodable, and `missing(source)`, which says
what is not there of a file that ends too soon. All reads are small and at known offsets, and every loop is bounded.
"""
