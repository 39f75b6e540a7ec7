"""Names that look like a derivative: what is seen, and was not judged, is listed with its reason.

A file of which a third was understood must not end green without a word.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

WORDS = re.compile(
    r"(^|_)(grad|grads|gradient|gradients|gradf|backward|backprop|backpropagate|backpropagation|bprop|deriv|derivative"
    r"|derivatives|prime|jac|jacobian|hess|hessian|vjp|jvp|hessp|pullback)(_|$|\d)|^d[A-Z]\w*$"
    r"|(Backward|Gradient|Derivative|Prime|Jacobian|Grad)$",
)
# Named after gradients, and no derivatives: what is done with one, or what measures one.
OTHERWISE = re.compile(
    r"^_|^(apply|zero|reset|clear|clip|check|numeric|numerical|num|approx|approximate|estimate|test|accumulate|requires"
    r"|save|has|no|enable|disable|set|average|print|plot|record|update|init)_|_(descent|check|checking|tape|step|norm|clip"
    r"|clipping|flow|fn|func)(_|$)",
    re.IGNORECASE,
)
FORMS = (
    "a class with forward and backward (or Beras' method names), a function f_forward beside f_backward(dout, cache), "
    "or a function f beside f_grad, f_prime, df or the like, of the same arguments"
)


def looks_like_a_derivative(name: str) -> bool:
    """Whether a name says that this is a derivative.

    >>> [looks_like_a_derivative(n) for n in ("sigmoid_prime", "softmaxGradient", "backward", "upgrade", "zero_grad")]
    [True, True, True, False, False]
    """
    return WORDS.search(name) is not None and OTHERWISE.search(name) is None


def not_understood(module: ModuleType, judged: Collection[Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, reason) of functions and classes of a module that look like derivatives, but for those `judged`."""
    known = {id(thing) for thing in judged}
    for name, thing in list(vars(module).items()):
        if getattr(thing, "__module__", None) != module.__name__ or id(thing) in known or name.startswith("__"):
            continue
        if inspect.isfunction(thing) and looks_like_a_derivative(name):
            yield name, "it is named like a derivative, and no function was found whose derivative it is"
        elif inspect.isclass(thing) and not _is_abstract(thing):
            methods = [one for one in vars(thing) if looks_like_a_derivative(one) and callable(vars(thing)[one])]
            if methods:
                yield name, f"it has {', '.join(methods)}, and no forward that goes with it was found"


def _is_abstract(cls: type) -> bool:
    """Whether a class is there to be derived from."""
    return inspect.isabstract(cls) or bool(cls.__subclasses__())
