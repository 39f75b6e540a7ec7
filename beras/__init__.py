"""Beras: a small neural-network library on NumPy, whose every derivative is checked."""

from beras.activations import Activation, LeakyReLU, ReLU, Sigmoid, Sin, Softmax, Tanh
from beras.composition import Branches, Residual
from beras.core import Callable, Diffable, Tensor, Variable, Weighted
from beras.gradient_tape import GradientTape
from beras.layers import BatchNormalization, Dense, Dropout, Flatten, LayerNormalization
from beras.losses import BinaryCrossEntropy, CategoricalCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from beras.metrics import CategoricalAccuracy
from beras.model import Model, SequentialModel, print_stats, update_metric_dict
from beras.onehot import OneHotEncoder
from beras.optimizer import Adam, BasicOptimizer, RMSProp
from beras.preprocess import load_and_preprocess_data

__all__ = [
    "Activation",
    "Adam",
    "BasicOptimizer",
    "BatchNormalization",
    "BinaryCrossEntropy",
    "Branches",
    "Callable",
    "CategoricalAccuracy",
    "CategoricalCrossEntropy",
    "Dense",
    "Diffable",
    "Dropout",
    "Flatten",
    "GradientTape",
    "LayerNormalization",
    "LeakyReLU",
    "Loss",
    "MeanSquaredError",
    "Model",
    "OneHotEncoder",
    "RMSProp",
    "ReLU",
    "Residual",
    "SequentialModel",
    "Sigmoid",
    "Sin",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Tanh",
    "Tensor",
    "Variable",
    "Weighted",
    "load_and_preprocess_data",
    "print_stats",
    "update_metric_dict",
]
