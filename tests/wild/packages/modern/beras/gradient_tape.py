from collections import defaultdict

from beras.core import Diffable


class GradientTape:
    def __init__(self):
        self.previous_layers = defaultdict(lambda: None)

    def __enter__(self):
        if Diffable.gradient_tape is not None:
            raise RuntimeError("Cannot nest gradient tape scopes.")
        Diffable.gradient_tape = self
        return self

    def __exit__(self, *exception):
        Diffable.gradient_tape = None

    def gradient(self, target, sources):
        order, seen = [], set()

        def visit(tensor):
            layer = self.previous_layers[id(tensor)]
            if id(tensor) in seen or layer is None:
                return
            seen.add(id(tensor))
            for x in layer.inputs:
                visit(x)
            order.append(tensor)

        visit(target)
        grads = defaultdict(lambda: None)
        for tensor in reversed(order):
            layer = self.previous_layers[id(tensor)]
            upstream = [grads[id(tensor)]]
            pairs = list(zip(layer.inputs, layer.compose_input_gradients(upstream), strict=False))
            pairs += zip(layer.weights, layer.compose_weight_gradients(upstream), strict=False)
            for variable, gradient in pairs:
                if grads[id(variable)] is None:
                    grads[id(variable)] = gradient
                else:
                    grads[id(variable)] = grads[id(variable)] + gradient
        return [grads[id(source)] for source in sources]
