from abc import ABC, abstractmethod
from collections import defaultdict

import numpy as np


class Tensor(np.ndarray):
    def __new__(cls, data):
        tensor = np.asarray(data).view(cls)
        tensor.trainable = True
        return tensor

    def __array_finalize__(self, source):
        if source is not None:
            self.trainable = getattr(source, "trainable", True)


Variable = Tensor


class Diffable(ABC):
    gradient_tape = None

    def __call__(self, *args):
        self.inputs = list(args)
        output = self.call(*args)
        self.outputs = [output]
        if Diffable.gradient_tape is not None:
            Diffable.gradient_tape.prevs[id(output)] = self
        return output

    @abstractmethod
    def call(self, *args): ...

    @property
    def weights(self):
        return []

    def input_gradients(self):
        return []

    def weight_gradients(self):
        return []

    def compose_to_input(self, J=None):
        if J is None or J[0] is None:
            return self.input_gradients()
        composed = []
        for j in J:
            for x, local in zip(self.inputs, self.input_gradients(), strict=False):
                result = np.zeros(x.shape, dtype=local.dtype)
                for n in range(j.shape[0]):
                    result[n] = (local[n] if local.ndim == 3 else local) @ j[n]
                composed.append(result)
        return composed

    def compose_to_weight(self, J=None):
        if J is None or J[0] is None:
            return self.weight_gradients()
        composed = []
        for j in J:
            for w, local in zip(self.weights, self.weight_gradients(), strict=False):
                result = np.zeros((j.shape[0], *w.shape), dtype=local.dtype)
                for n in range(j.shape[0]):
                    result[n] = (local[n] if local.ndim == 3 else local) * j[n]
                composed.append(np.sum(result, axis=0))
        return composed


class GradientTape:
    def __init__(self):
        self.prevs = defaultdict(lambda: None)

    def __enter__(self):
        Diffable.gradient_tape = self
        return self

    def __exit__(self, *exception):
        Diffable.gradient_tape = None

    def gradient(self, target, sources):
        queue, grads = [target], defaultdict(lambda: None)
        pending = defaultdict(int)
        stack, seen = [target], set()
        while stack:
            layer = self.prevs[id(stack.pop())]
            if layer is not None and id(layer) not in seen:
                seen.add(id(layer))
                for x in layer.inputs:
                    pending[id(x)] += 1
                    stack.append(x)
        while queue:
            tensor = queue.pop(0)
            layer = self.prevs[id(tensor)]
            if layer is None:
                continue
            J = None if grads[id(tensor)] is None else [grads[id(tensor)]]
            for w, g in zip(layer.weights, layer.compose_to_weight(J), strict=False):
                grads[id(w)] = g
            for x, g in zip(layer.inputs, layer.compose_to_input(J), strict=False):
                grads[id(x)] = g if grads[id(x)] is None else grads[id(x)] + g
                pending[id(x)] -= 1
                if pending[id(x)] == 0:
                    queue.append(x)
        return [grads[id(source)] for source in sources]
