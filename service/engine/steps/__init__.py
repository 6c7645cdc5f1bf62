"""The operations, one module per family. Each step is `step(picture, job)`; it returns early with nothing to do."""
