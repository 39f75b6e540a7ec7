"""Claim and estimate, entry by entry: what a right claim must be, how far it may be from that, and the verdict."""
