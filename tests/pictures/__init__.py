"""Generated pictures over format, colour statement, depth and alpha, and what each must show by the standards.

`case.py` says what a case is. The files that hold `CASES` are listed in `test_pictures.py`, which runs every case
through a gateway. `reference.py` computes the right colours, `viewer.py` shows an answer as a browser would.
"""
