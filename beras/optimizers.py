"""The Keras spelling of `beras.optimizer`."""

from beras.optimizer import Adam, AdamW, BasicOptimizer, Nadam, Optimizer, RMSProp
from beras.schedules import CosineDecay, ExponentialDecay, PiecewiseConstantDecay, WarmUp

__all__ = [
    "Adam",
    "AdamW",
    "BasicOptimizer",
    "CosineDecay",
    "ExponentialDecay",
    "Nadam",
    "Optimizer",
    "PiecewiseConstantDecay",
    "RMSProp",
    "WarmUp",
]
