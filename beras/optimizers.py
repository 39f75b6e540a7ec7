"""The Keras spelling of `beras.optimizer`."""

from beras.optimizer import Adam, BasicOptimizer, Optimizer, RMSProp

__all__ = ["Adam", "BasicOptimizer", "Optimizer", "RMSProp"]
