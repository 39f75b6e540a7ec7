"""The points at which a subject is checked."""

from gradcheck.sampling.points import SHAPES, Point, points

__all__ = ["SHAPES", "Point", "points"]
