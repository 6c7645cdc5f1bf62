"""Where an image comes from: IPTC's digital source type, credit and creator, and the manifest of C2PA.

`statement` reads it, `keeping` writes source type and credit into derived images. `carriers` finds the blocks of a
file, `embedding` and `embedding_heif` put blocks in; a format names its functions of both in `service.engine.formats`.
"""
