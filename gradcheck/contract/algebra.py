"""What products with a Jacobian obey: linearity, agreement with the local gradient, samples apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.asking import layouts
from gradcheck.contract.setting import NotTried, Setting, copies_of, identical, labels, near, needed, reordered


def linear(s: Setting) -> Iterator[str]:
    """vjp(1024 g − 3h) = 1024·vjp(g) − 3·vjp(h): also where a gradient is clipped at some size."""
    asked = needed([method for method in s.methods if method.kind in ("vjp", "jvp")], "no method takes a gradient")
    for method in asked:
        g, h = s.arguments(method), s.arguments(method)
        mixed = s.ask(method, arguments=[1024 * a - 3 * b for a, b in zip(g, h, strict=True)])
        first, second = s.ask(method, arguments=g), s.ask(method, arguments=h)
        for name, whole, a, b in zip(labels(method, mixed), mixed, first, second, strict=True):
            if whole is None or a is None or b is None:
                continue
            wanted = 1024 * np.asarray(a) - 3 * np.asarray(b)
            size = 1024 * np.abs(a).max(initial=0) + 3 * np.abs(b).max(initial=0)
            if not near(whole, wanted, float(size)):
                yield f"{method.name}[{name}] is not linear in the upstream gradient"


def agrees_with_local(s: Setting) -> Iterator[str]:
    """The local gradient, multiplied with an upstream gradient, is the vector-Jacobian product."""
    tried = False
    shapes = [output.shape for output in s.outputs]
    if len(shapes) != 1:
        raise NotTried("several outputs have no compact local gradient")
    composed = [method for method in s.methods if method.kind == "vjp"]
    for local in [method for method in s.methods if method.kind == "local"]:
        said = s.ask(local)
        for vjp in composed:
            g = s.arguments(vjp)
            products = s.ask(vjp, arguments=copies_of(g))
            for name, product in zip(vjp.wrt, products, strict=True):
                if name not in local.wrt or product is None or said[local.wrt.index(name)] is None:
                    continue
                variable = s.problem.variable(name)
                try:
                    claimed = np.asarray(said[local.wrt.index(name)])
                    times = layouts.read(claimed, s.values[name].shape, shapes[0], variable.role)
                except ValueError:  # an unreadable layout is a matter of the claim
                    continue
                tried = True
                wanted = np.asarray(times(g[0]))
                size = float(np.abs(wanted).max(initial=0.0)) * max(1, g[0].size // max(1, wanted.size))
                if np.shape(product) == wanted.shape and not near(product, wanted, size):
                    yield f"{vjp.name}[{name}] is not the upstream gradient times {local.name}"
    if not tried:
        raise NotTried("it has no local gradients and vector-Jacobian products of the same variable")


def samples_do_not_leak(s: Setting) -> Iterator[str]:
    """Where forward treats the samples apart, a sample's upstream gradient reaches that sample's inputs only."""
    batch = s.outputs[0].shape[0] if s.outputs[0].ndim > 1 else 0
    names = [
        v.name
        for v in s.problem.variables
        if v.role == "input" and not v.constant and s.values[v.name].ndim > 1 and len(s.values[v.name]) == batch
    ]
    asked = [method for method in s.methods if method.kind == "vjp" and set(names) & set(method.wrt)]
    if batch < 2 or not asked or any(output.ndim < 2 or len(output) != batch for output in s.outputs):
        raise NotTried("it has no batch of samples")
    for name in names:
        moved = s.copies()
        moved[name] = moved[name].copy()
        moved[name][0] = reordered(moved[name][0]) + 1
        after = s.problem.forward(moved)
        if not all(identical(np.asarray(a)[1:], b[1:]) for a, b in zip(after, s.outputs, strict=True)):
            raise NotTried(f"forward couples the samples of {name}")
    for method in asked:
        upstream = s.arguments(method)
        for one in upstream:
            one[1:] = 0
        for name, product in zip(method.wrt, s.ask(method, arguments=upstream), strict=True):
            if name in names and product is not None and np.shape(product) == s.values[name].shape:
                leak = float(np.abs(np.asarray(product)[1:]).max(initial=0.0))
                if leak > 0 and not np.isnan(leak):
                    yield f"{method.name}[{name}]: what flows back from sample 0 reaches other samples ({leak:.3g})"
