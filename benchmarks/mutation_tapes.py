"""What a tape promises beside right gradients: the same ones while another tape records, `None`, one gradient only.

Everything looks Beras up when it is called, so that it meets the mutant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mutation_second import cases
from mutation_subjects import X


def recorded_as_not() -> None:
    """A gradient that a tape records is the one that no tape records, also of logits that overflow.

    Second derivatives alone do not show it: they are right of a first derivative that is off by a constant.
    Raises AssertionError where it is another one.
    """
    from beras.core import Tensor
    from beras.gradient_tape import GradientTape
    from beras.losses import SoftmaxCrossEntropy

    far = np.array([[1000.0, 999.0, 0.0], [-1000.0, -1001.0, -2000.0]])
    logits = "logits far out", lambda: (lambda x: SoftmaxCrossEntropy()(x, np.array([1, 1])), [far])
    for name, make in (*cases(), logits):
        f, points = make()
        sources = [Tensor(np.array(x)) for x in points]
        with GradientTape() as tape:
            z = f(*sources)
        g = np.random.default_rng(13).normal(size=z.shape)
        plain = tape.gradient(z, sources, g)
        with GradientTape(), GradientTape() as inner:
            z = f(*sources)
            recorded = inner.gradient(z, sources, g)
        for one, other in zip(plain, recorded, strict=True):
            if not {type(one), type(other)} <= {Tensor, type(None)}:
                raise AssertionError(f"{name}: gradients are a {type(one).__name__} and a {type(other).__name__}")
            if (one is None) != (other is None) or (one is not None and not np.allclose(one, other, 1e-9, 1e-12)):
                raise AssertionError(f"{name}: {one!r} where no tape records, {other!r} where one does")


def what_tapes_give() -> None:
    """`None` for what the target does not depend on, gradients by what is watched, a target without entries, no steps.

    Raises AssertionError where they give something else.
    """
    from beras.core import Tensor, Variable
    from beras.elementwise import Activation
    from beras.gradient_tape import GradientTape

    class Twice(Activation):
        def forward(self, x: Any) -> Any:
            return 2 * np.asarray(x)

        def get_input_gradients(self) -> Any:
            return [np.full(self.inputs[0].shape, 2.0)]

    x, unrelated, frozen = Tensor(X), Tensor(X), Variable(X, trainable=False)
    with GradientTape() as tape:
        y, none, one = x * 2.0, x[:0] * 2.0, x[:1, :1] * 2.0
        z = np.sin(frozen)
    by_x, nothing = tape.jacobian(y, [x, unrelated])
    if nothing is not None or not np.array_equal(np.reshape(by_x, (6, 6)), 2 * np.eye(6)):
        raise AssertionError(f"the Jacobians are {by_x!r} and {nothing!r}")
    if (found := tape.jacobian(none, x)).shape != (0, 2, *X.shape) or type(found) is not Tensor:
        raise AssertionError(f"the Jacobian of nothing is {found!r}")
    if (found := tape.jacobian(one, x)).sum() != 2.0:
        raise AssertionError(f"the Jacobian of a single entry is {found!r}")
    if tape.gradient(z, frozen) is not None:
        raise AssertionError("a frozen variable that nobody watches has a gradient")
    tape.watch(frozen)
    if (found := tape.gradient(z, frozen)) is None or not np.allclose(found, np.cos(X)):
        raise AssertionError(f"a frozen variable that is watched has the gradient {found!r}")
    with GradientTape() as tape:
        tape.gradient(Twice()(x), x)
    if len(tape.previous_layers) != 1:
        raise AssertionError(f"asking a layer that no tape records is recorded: {tape.previous_layers!r}")
    g = Tensor(np.ones(X.shape))  # the way back twice is the way forward, for it is linear in what is upstream
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = x * x
        back = inner.gradient(y, x, g)
    if (found := outer.gradient(back, g)) is None or not np.array_equal(found, 2 * X):
        raise AssertionError(f"of the way back, the derivative by what is upstream is {found!r}")


def what_tapes_notice() -> None:
    """A second question to a tape that is not persistent, and with `debug` a write that no Tensor sees.

    Raises AssertionError where they do not, or notice it unasked.
    """
    from beras.core import Tensor
    from beras.gradient_tape import GradientTape

    x = Tensor(X)
    for ask in ("gradient", "jacobian"):
        with GradientTape(persistent=False) as tape:
            y = x * 2.0
        if _raises(tape, ask, y, x) or not _raises(tape, ask, y, x):
            raise AssertionError(f"{ask}() of a tape that is not persistent is given once")
    for debug in (False, True):
        with GradientTape(debug=debug) as tape:
            h = x * 2.0
            y = h * h
        np.asarray(h)[...] = 0
        if _raises(tape, "gradient", y, x) is not debug:
            raise AssertionError(f"debug={debug}, and a write through a plain array is {'not ' * debug}noticed")


def _raises(tape: Any, ask: str, target: Any, source: Any) -> bool:
    try:
        getattr(tape, ask)(target, source)
    except RuntimeError:
        return True
    return False
