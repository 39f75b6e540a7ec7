"""Right forwards, and claims that are wrong on one branch only."""

from __future__ import annotations

import numpy as np


class Squares:
    """Right: 2x."""

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, g):
        return g * self.slope(2 * self.x)

    def slope(self, right):
        return right


class Band(Squares):
    """Wrong in a band of width 0.02."""

    def slope(self, right):
        return np.where((self.x > 0.30) & (self.x < 0.32), 2 * right, right)


class ChainedBand(Squares):
    """Wrong where the mean is in a narrow band."""

    def slope(self, right):
        if 0.30 < self.x.mean() < 0.32:
            return 2 * right
        return right


class ExactInteger(Squares):
    """Wrong where one entry is 17."""

    def slope(self, right):
        return np.where(self.x == 17, 3 * right, right)


class Beyond(Squares):
    """Wrong beyond 1e5."""

    def slope(self, right):
        return 2 * right if np.abs(self.x).max() > 1e5 else right


class Negative(Squares):
    """Wrong where the first entry is negative and the last is large."""

    def slope(self, right):
        if self.x.flat[0] < 0 and self.x.flat[-1] > 30:
            return 2 * right
        return right


class Clipped(Squares):
    """Clips its slope at 300."""

    def slope(self, right):
        return np.clip(right, -300, 300)


class WrongForLargest(Squares):
    """Wrong where the largest entry is below −5: all are."""

    def slope(self, right):
        return right + (self.x.max() < -5)


class InALoop(Squares):
    """Wrong where a running sum passes 50."""

    def slope(self, right):
        total, slope = 0.0, right.copy()
        for index in np.ndindex(right.shape):
            total += self.x[index]
            if total > 50:
                slope[index] *= 2
        return slope


WRONG = (Band, ChainedBand, ExactInteger, Beyond, Negative, Clipped, WrongForLargest, InALoop)
