"""Long runs against hostile input, kills and time; `make soak` starts them, `test_soak.py` runs a little of each.

Each part walks over numbered cases. A case is made from the seed and its number alone, so `--seed S --first N` goes on
where a run ended, and repeats what a run found.
"""
