"""The operations, one module per family; each step is `step(picture, job)` and returns early with nothing to do."""
