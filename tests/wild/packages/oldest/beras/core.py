from abc import ABC, abstractmethod

import numpy as np


class Callable(ABC):
    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    @abstractmethod
    def forward(self, *args, **kwargs): ...


class Diffable(Callable):
    gradient_tape = None

    def __init__(self):
        super().__init__()
        self.trainable = True

    def __call__(self, *args, **kwargs):
        if Diffable.gradient_tape is not None:
            Diffable.gradient_tape.operations += [self]
        return self.forward(*args, **kwargs)

    @abstractmethod
    def input_gradients(self): ...

    def weight_gradients(self):
        return ()

    def compose_to_input(self, J):
        local = self.input_gradients()
        composed = np.zeros((J.shape[0], local.shape[-2]), dtype=local.dtype)
        for n in range(J.shape[0]):
            composed[n] = (local[n] if local.ndim == 3 else local) @ J[n]
        return composed

    def compose_to_weight(self, J):
        composed = []
        for w, local in zip(self.weights, self.weight_gradients(), strict=False):
            result = np.zeros((J.shape[0], *w.shape), dtype=local.dtype)
            for n in range(J.shape[0]):
                result[n] = (local[n] if local.ndim == 3 else local) * J[n]
            composed.append(np.mean(result, axis=0))
        return composed


class GradientTape:
    def __init__(self):
        self.operations = []

    def __enter__(self):
        Diffable.gradient_tape = self
        return self

    def __exit__(self, *exception):
        Diffable.gradient_tape = None

    def gradient(self):
        J = self.operations[-1].input_gradients()
        grads = []
        for layer in self.operations[:-1][::-1]:
            if layer.trainable and hasattr(layer, "weights"):
                grads = layer.compose_to_weight(J) + grads
            J = layer.compose_to_input(J)
        return grads
