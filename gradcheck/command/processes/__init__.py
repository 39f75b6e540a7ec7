"""Processes that can be stopped: the parent asks, the child runs the checked code."""
