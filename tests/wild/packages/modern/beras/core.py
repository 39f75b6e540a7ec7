from abc import ABC, abstractmethod

import numpy as np


class Tensor(np.ndarray):
    def __new__(cls, data):
        tensor = np.asarray(data).view(cls)
        tensor.trainable = True
        return tensor

    def __array_finalize__(self, source):
        if source is not None:
            self.trainable = getattr(source, "trainable", True)


class Variable(Tensor):
    def assign(self, value):
        self[:] = value


class Callable(ABC):
    def __call__(self, *args, **kwargs):
        return Tensor(self.forward(*args, **kwargs))

    @abstractmethod
    def forward(self, *args, **kwargs): ...


class Weighted(ABC):
    @property
    @abstractmethod
    def weights(self): ...

    @property
    def trainable_variables(self):
        return [w for w in self.weights if w.trainable]


class Diffable(Callable, Weighted):
    gradient_tape = None

    def __call__(self, *args, **kwargs):
        self.argnames = self.forward.__code__.co_varnames[1:]
        named = dict(zip(self.argnames, args, strict=False))
        self.input_dict = {**named, **kwargs}
        self.inputs = [self.input_dict[name] for name in self.argnames if name in self.input_dict]
        self.outputs = self.forward(*args, **kwargs)
        several = isinstance(self.outputs, (list, tuple))
        if not several:
            self.outputs = [self.outputs]
        if Diffable.gradient_tape is not None:
            for output in self.outputs:
                Diffable.gradient_tape.previous_layers[id(output)] = self
        return self.outputs if several else self.outputs[0]

    @abstractmethod
    def get_input_gradients(self): ...

    @abstractmethod
    def get_weight_gradients(self): ...

    def compose_input_gradients(self, J=None):
        if J is None or J[0] is None:
            return self.get_input_gradients()
        composed = []
        for upstream in J:
            for x, local in zip(self.inputs, self.get_input_gradients(), strict=False):
                result = np.zeros(x.shape, dtype=local.dtype)
                for n in range(upstream.shape[0]):
                    result[n] = (local[n] if local.ndim == 3 else local) @ upstream[n]
                composed.append(result)
        return composed

    def compose_weight_gradients(self, J=None):
        if J is None or J[0] is None:
            return self.get_weight_gradients()
        composed = []
        for upstream in J:
            for w, local in zip(self.weights, self.get_weight_gradients(), strict=False):
                result = np.zeros((upstream.shape[0], *w.shape), dtype=local.dtype)
                for n in range(upstream.shape[0]):
                    result[n] = (local[n] if local.ndim == 3 else local) * upstream[n]
                composed.append(np.sum(result, axis=0))
        return composed
