"""Plain functions: what they are called, what they take and return, and which of them belong together.

`source.py` reads a function's text and `words.py` its names; `table.py` says which functions of a module are one
subject, as a `Program` (`program.py`). `search.py` finds values for everything that the program takes: `guesses.py` has
what an argument may be, `shapes.py` which of its axes are of one size, `repairs.py` what an exception says about both.
`matching.py` says which gradient is whose, `posed.py` makes the `Problem`, `conventions.py` names what it follows.
"""
