from abc import ABC, abstractmethod

import numpy as np


class Tensor(np.ndarray):
    requires_grad = True

    def __new__(cls, data):
        if isinstance(data, Tensor):
            return data
        tensor = np.asarray(data).view(cls)
        tensor.grad = None
        tensor.backward = lambda grad=None: None
        return tensor

    def __array_finalize__(self, source):
        if source is not None:
            self.grad = getattr(source, "grad", None)
            self.backward = getattr(source, "backward", lambda grad=None: None)


class Diffable(ABC):
    def __call__(self, *args):
        self.inputs = list(args)
        output = self.forward(*args)
        self.outputs = [output]
        output.backward = self.backward
        return output

    @property
    def parameters(self):
        return []

    @abstractmethod
    def forward(self, *args): ...

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
            for w, local in zip(self.parameters, self.get_weight_gradients(), strict=False):
                result = np.zeros((upstream.shape[0], *w.shape), dtype=local.dtype)
                for n in range(upstream.shape[0]):
                    result[n] = (local[n] if local.ndim == 3 else local) * upstream[n]
                composed.append(np.sum(result, axis=0))
        return composed

    def backward(self, grad=None):
        for parameter, g in zip(self.parameters, self.compose_weight_gradients(grad), strict=False):
            if parameter.requires_grad:
                parameter.grad = [g]
        for x, g in zip(self.inputs, self.compose_input_gradients(grad), strict=False):
            if x.requires_grad:
                x.grad = [g]
                x.backward([g])
