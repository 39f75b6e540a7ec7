"""Which gradient belongs to which weight: told by where both stand and what they are called, never by their numbers.

`W` and `dW`, `params['b']` and `grads['b']`, `weights[0]` and `nabla_w[0]`, `.grad` beside `.data`; where names say
nothing, by shape, in the order in which both are listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from gradcheck.adapters.gradients import Offer, Paired
from gradcheck.adapters.places import VALUES, Label, label
from gradcheck.adapters.weights import Slot, same

# What stands before or after the weight's own name: dW, dLdW, dL_dW, grad_W, nabla_w, delta_w, W_grad, Wgrad, W_bar.
BEFORE = re.compile(
    r"^(d[ljce]_?d_?|d?(loss|cost)_?d_?|gradients?_?(of_|wrt_|by_)?|grads?_?(of_|wrt_|by_)?|delta_?|nabla_?|del_?|d_?|g_?)(?=.)"
)
AFTER = re.compile(r"(?<=.)(_?(grads?|gradients?|delta|deriv|derivative|bar)|_[gd])$")
GRADIENT = re.compile(
    r"^d_|^d[a-z]{1,2}\d*$|^d_?(w|b|weight|bias|gamma|beta|kernel|theta)|^d[ljce]_?d|grad|delta|nabla"
)
# One word for what several are used for.
KIN = (
    (r"^(weights?|kernels?|filters?)", "w"),
    (r"^(bias(es)?|bs$)", "b"),
    (r"^ws$", "w"),
    (r"^scale", "gamma"),
    (r"^shift", "beta"),
)
PARAMETERS = re.compile(r"^(params?|parameters?|weights?|variables|learnables|theta|model)$")
GRADIENTS = re.compile(
    r"^(d|g)?_?(params?|parameters?|weights?)?_?(grads?|gradients?)$|^d_?(params?|parameters?)$|\(\)$"
)


def pair(slots: Sequence[Slot], offers: Sequence[Offer], moving: Callable[[], Sequence[Slot]]) -> list[Paired]:
    """Pair weights with gradients, the surest first. `moving()` are the weights that forward depends on."""
    labels = {one.path: label(one.path) for one in offers}
    scored = [
        (max(_fit(label(path), labels[offer.path], offer, slot) for path in slot.paths), slot, offer)
        for slot in slots
        for offer in offers
    ]
    found: dict[str, Offer] = {}
    for score, slot, offer in sorted(scored, key=lambda one: -one[0]):
        if score > 0 and slot.name not in found and not _taken(offer, found):
            found[slot.name] = offer
    free = [one for one in offers if not _taken(one, found) and is_gradient(one.path)]
    if free:
        for slot in [slot for slot in moving() if slot.name not in found]:
            fits = [one for one in free if one.shape == slot.array.shape and not _taken(one, found)]
            if fits:
                found[slot.name] = fits[0]
    return [Paired(slot, found[slot.name]) for slot in slots if slot.name in found]


def _taken(offer: Offer, found: dict[str, Offer]) -> bool:
    return any(
        one.path == offer.path or (isinstance(one.array, np.ndarray) and same(one.array, offer.array))
        for one in found.values()
    )


def is_gradient(path: str) -> bool:
    """Whether what stands at a path is called as gradients are, or came back from a method."""
    where = label(path)
    return "()" in path or bool(GRADIENT.search(where.name) or GRADIENT.search(where.container))


def _fit(weight: Label, gradient: Label, offer: Offer, slot: Slot) -> int:
    """How well the gradient's label fits the weight's: 0 where it does not, more where it stands nearer."""
    near = weight.owner == gradient.owner
    shape = bool(offer.shape == slot.array.shape)
    if not near and gradient.owner and "()" not in offer.path:
        return 0  # that of another part
    if weight.name in VALUES and near and weight.owner and is_gradient(offer.path):
        return 9
    if weight.index != gradient.index and not (weight.index is None and "()" in offer.path):
        return 0
    if _names_fit(weight, gradient):
        # What comes back is what is claimed; what layers keep on the way is how it came about.
        return 4 + 2 * shape + (2 if "()" in offer.path else near)
    longer = shape and offer.shape != () and near and weight.name != gradient.name
    return int(longer and bool(weight.name) and gradient.name.endswith(weight.name))


def names_fit(name: str, gradient: str) -> bool:
    """Whether `gradient` is what the gradient by `name` is called.

    >>> names_fit("W", "dLdW"), names_fit("weight_1", "grad_W1"), names_fit("b", "dW")
    (True, True, False)
    """
    written = gradient.strip("_").lower()
    own = {BEFORE.sub("", written), AFTER.sub("", written)} - {written}
    return kin(name.strip("_").lower()) in {kin(one) for one in own}


def _names_fit(weight: Label, gradient: Label) -> bool:
    if names_fit(weight.name, gradient.name):
        return True
    if gradient.container and kin(weight.name) == kin(gradient.name):
        return bool(GRADIENTS.search(gradient.container) or GRADIENT.search(gradient.container))
    return (
        weight.index is not None
        and bool(PARAMETERS.match(weight.name))
        and not gradient.name.endswith("()")
        and bool(GRADIENTS.match(gradient.name))
    )


def kin(name: str) -> str:
    """A name without underscores, in the one word that all call it.

    >>> kin("weights_1"), kin("W1".lower()), kin("biases")
    ('w1', 'w1', 'b')
    """
    found = name.replace("_", "")
    for pattern, word in KIN:
        found = re.sub(pattern, word, found)
    return found
