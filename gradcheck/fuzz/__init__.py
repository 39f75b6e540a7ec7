"""A search that goes on: Hypothesis looks for sizes and values at which a claim is wrong, and keeps what it finds.

search   drawn points, steered to large errors and to decisions that were not taken
kept     the smallest example found for each component; an ordinary check asks it first
"""
