"""A base class as in a student's Beras, for the layers that are written that way."""

import numpy as np


class Diffable:
    """Calling it keeps `inputs` and `outputs`; the derivatives are those of that call.

    `J` is a list with one upstream gradient per output; without it the local derivatives are returned.
    """

    def __call__(self, *inputs):
        self.inputs = [np.asarray(x) for x in inputs]
        self.outputs = [self.forward(*self.inputs)]
        return self.outputs[0]

    def forward(self, *inputs):
        raise NotImplementedError

    def get_input_gradients(self):
        raise NotImplementedError

    def get_weight_gradients(self):
        return []

    def compose_input_gradients(self, J=None):
        """One matrix `(in, out)` for each row, or one number for each entry (of a scalar: its gradient)."""
        local = self.get_input_gradients()
        if J is None or J[0] is None:
            return local
        [g], composed = J, []
        for x, d in zip(self.inputs, local, strict=True):
            composed.append(np.einsum("...io,...o->...i", d, g) if d.ndim == x.ndim + 1 else d * g)
        return composed

    def compose_weight_gradients(self, J=None):
        """Sum over the batch what each row's local derivative makes of its upstream gradient."""
        local = self.get_weight_gradients()
        if J is None or J[0] is None:
            return local
        [g] = J
        return [np.einsum("nio,no->io", d, g) if d.ndim == 3 else (d * g).sum(axis=0, keepdims=True) for d in local]
