"""Released libraries as subjects: their right derivatives are right, and their known mistakes are found.

`tox -e libraries` runs it and prints how many derivatives were asked, by library and verdict.
"""
