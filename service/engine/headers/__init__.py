"""Parse the headers of each format: one module per format, none of which decodes a pixel.

The module of a format offers what `service.engine.formats.Parser` says. All reads are small and at known offsets, and
every loop is bounded.
"""
