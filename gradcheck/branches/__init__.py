"""What code decides, and the points at which it decides otherwise.

instrument   somebody's functions, compiled anew so that they say which lines ran and what was decided
recompile    functions whose code is exchanged for a while
recorder     a run with the instrumented code in its place, and what was seen in it
decisions    the places where code decides, with the outcomes and operands that were seen
aim          points with the outcome that was not seen
coverage     which lines ran and which outcomes were seen, over all points, for the result and the report
"""
