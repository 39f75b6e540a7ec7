"""Variants: the same code in other settings, modes, shapes, memory layouts, and with other kinds of labels and data.

What forward takes there without NaN, the claim is about: it is wrong "with padding=1" where it is wrong in no other
setting. Each variant is screened by a derivative along a line, which costs some forty calls; only what that
contradicts is judged entry by entry.
"""

from gradcheck.variants.search import Search

__all__ = ["Search"]
