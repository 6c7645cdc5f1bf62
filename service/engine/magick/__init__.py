"""ImageMagick's side of reading, the steps and writing: a module each. `engine.library` decides when they are used."""
