from beras.core import Diffable
from beras.gradient_tape import GradientTape


class Model(Diffable):
    def __init__(self, layers):
        self.layers = layers

    @property
    def weights(self):
        return [w for layer in self.layers for w in layer.weights]

    def compile(self, optimizer, loss_fn, acc_fn):
        self.optimizer, self.compiled_loss, self.compiled_acc = optimizer, loss_fn, acc_fn

    def get_input_gradients(self):
        return super().get_input_gradients()

    def get_weight_gradients(self):
        return super().get_weight_gradients()


class SequentialModel(Model):
    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def batch_step(self, x, y, training=True):
        with GradientTape() as tape:
            loss = self.compiled_loss(self.forward(x), y)
        if training:
            self.optimizer.apply_gradients(self.weights, tape.gradient(loss, self.weights))
        return {"loss": loss}
