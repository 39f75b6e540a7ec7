"""What methods and arguments are called that go forward and back, in the words of many courses."""

from __future__ import annotations

import re

from gradcheck.adapters.arguments import CONSTANTS

# Names without underscores and capitals; the first that a class has is taken.
FORWARDS = (
    *("forward", "call", "forwardpass", "forwardpropagation", "forwardpropagate", "forwardprop", "fprop", "fwd"),
    *("feedforward", "updateoutput", "propagate", "__call__", "activate", "apply", "compute", "predict"),
)
BACKWARDS = (
    *("backward", "backwards", "backwardpass", "backwardpropagation", "backwardpropagate", "backwardprop"),
    *("backpropagation", "backpropagate", "backprop", "backpass", "bprop", "bwd", "updategradinput"),
)
# A derivative at what went in, or at what the last call was about.
DERIVATIVES = (
    *("derivative", "derivatives", "gradient", "gradients", "grad", "prime", "deriv", "derive", "derivate"),
    *("df", "dfn", "dfunc", "dx", "der", "slope", "jacobian", "diff", "lossgradient", "gradientloss"),
    *("lossderivative", "dloss", "computegradient", "computegradients", "calculategradient", "backwardgradient"),
    *("activationderivative", "activationprime", "dactivation", "derivativeloss", "lossprime", "getgradient", "delta"),
)
# What goes forward beside one of these: an activation, or a loss.
FUNCTIONS = (
    *("forward", "call", "function", "func", "fn", "f", "activation", "activate", "value", "apply", "compute"),
    *("evaluate", "loss", "cost", "calculate", "calc", "computeloss", "calculateloss", "calcloss", "getloss", "error"),
    *("output", "computecost", "__call__", "transform", "predict"),
)
# What is asked after the input gradient, with the same arguments.
BY_PARAMETERS = ("accgradparameters",)
RATES = frozenset({"learningrate", "lr", "eta", "rate", "stepsize", "lrate", "learnrate"})
CACHES = frozenset({"cache", "caches", "ctx", "context", "memory", "saved", "tape"})
LABELS = frozenset({*(name.replace("_", "") for name in CONSTANTS), "y", "t", "expected", "desired", "onehot"})
GRADIENT = re.compile(r"^(d(?!ata)[a-z]*|.*(grad|delta|error|upstream|cotangent).*|g|gy|dout|err|top|next)$")
OUTPUT = re.compile(r"^(a|a\d|al|y|yhat|out|outputs?|.*output|results?|pred.*|ypred|o|probs?)$")


def plain(name: str) -> str:
    """A name without underscores and capitals.

    >>> plain("backward_pass"), plain("updateGradInput"), plain("__call__")
    ('backwardpass', 'updategradinput', '__call__')
    """
    return name if name.startswith("__") else name.replace("_", "").lower()
