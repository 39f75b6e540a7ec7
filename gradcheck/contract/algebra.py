"""What products with a Jacobian obey: linearity, symmetry of a Hessian, and agreement with the local gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.asking import layouts
from gradcheck.contract.setting import NotTried, Setting, copies_of, near, needed
from gradcheck.problem import Array, Method


def linear(s: Setting) -> Iterator[str]:
    """vjp(1024 g − 3h) = 1024·vjp(g) − 3·vjp(h): also where a gradient is clipped at some size."""
    asked = needed([method for method in s.methods if method.kind in ("vjp", "jvp")], "no method takes a gradient")
    for method in asked:
        g, h = s.arguments(method), s.arguments(method)
        mixed = s.ask(method, arguments=[1024 * a - 3 * b for a, b in zip(g, h, strict=True)])
        first, second = s.ask(method, arguments=g), s.ask(method, arguments=h)
        pairs = zip(s.judged(method, mixed), s.judged(method, first), s.judged(method, second), strict=True)
        for (name, whole), (_, a), (_, b) in pairs:
            if whole is None or a is None or b is None:
                continue
            wanted = 1024 * np.asarray(a) - 3 * np.asarray(b)
            size = 1024 * np.abs(a).max(initial=0) + 3 * np.abs(b).max(initial=0)
            if near(whole, wanted, float(size), s.outputs):
                continue
            # Where terms cancel, as for a bias before a normalisation, rounding is larger than what is left of them;
            # so it is where a softmax is saturated.
            lost = 1024 * _rounding(s, method, name, g) + 3 * _rounding(s, method, name, h)
            lost += 1024 * _milder(s, method, name, g) + 3 * _milder(s, method, name, h)
            if not near(whole, wanted, float(size) + lost, s.outputs):
                yield f"{method.name}[{name}] is not linear in the upstream gradient"


def _rounding(s: Setting, method: Method, name: str, g: list[Array]) -> float:
    """How far an answer moves, in units of ε, where each upstream entry moves by one rounding."""
    rng = np.random.default_rng(0)
    moved = [np.nextafter(one, np.where(rng.random(one.shape) < 0.5, -np.inf, np.inf).astype(one.dtype)) for one in g]
    before, after = (dict(s.judged(method, s.ask(method, arguments=copies_of(one))))[name] for one in (g, moved))
    if before is None or after is None or np.shape(before) != np.shape(after):
        return 0.0
    off = float(np.abs(np.asarray(after, float) - np.asarray(before, float)).max(initial=0.0))
    return off / float(np.finfo(g[0].dtype).eps)


def _milder(s: Setting, method: Method, name: str, g: list[Array]) -> float:
    """How large the answer is where all values are a sixteenth of these; 0 where it cannot be asked there."""
    free = {v.name for v in s.problem.variables if not v.constant and v.domain is None}
    values = {n: value / 16 if n in free and value.dtype.kind == "f" else value for n, value in s.copies().items()}
    try:
        said = dict(s.judged(method, s.ask(method, values, copies_of(g))))[name]
    except Exception:  # the checked code takes no such values
        return 0.0
    size = 0.0 if said is None else float(np.abs(np.asarray(said, float)).max(initial=0.0))
    return size if np.isfinite(size) else 0.0


def symmetric(s: Setting) -> Iterator[str]:
    """u · H v = v · H u for a Hessian."""
    for method in [method for method in s.methods if method.symmetric]:
        [u], [v] = s.arguments(method), s.arguments(method)
        hu, hv = (np.asarray(s.ask(method, arguments=copies_of([one]))[0]) for one in (u, v))
        if hu.size != v.size:
            continue  # a shape that cannot be is a matter of the claim
        first, second = np.vdot(v, hu).astype(hu.dtype), np.vdot(u, hv).astype(hv.dtype)
        size = float(np.abs(u).sum() * np.abs(hv).max(initial=0) + np.abs(v).sum() * np.abs(hu).max(initial=0))
        if not near(first, second, size):
            yield f"{method.name} is not symmetric: v · H u = {first:.6g}, but u · H v = {second:.6g}"


def agrees_with_local(s: Setting) -> Iterator[str]:
    """The local gradient, multiplied with an upstream gradient, is the vector-Jacobian product."""
    tried = False
    shapes = [output.shape for output in s.outputs]
    if len(shapes) != 1:
        raise NotTried("several outputs have no compact local gradient")
    composed = [method for method in s.methods if method.kind == "vjp"]
    for local in [method for method in s.methods if method.kind == "local"]:
        said = dict(s.judged(local, s.ask(local)))
        for vjp in composed:
            g = s.arguments(vjp)
            for name, product in s.judged(vjp, s.ask(vjp, arguments=copies_of(g))):
                if product is None or said.get(name) is None:
                    continue
                variable = s.problem.variable(name)
                try:
                    claimed = np.asarray(said[name])
                    times = layouts.read(claimed, s.values[name].shape, shapes[0], variable.role)
                except ValueError:  # an unreadable layout is a matter of the claim
                    continue
                tried = True
                wanted = np.asarray(times(g[0]))
                size = float(np.abs(wanted).max(initial=0.0)) * max(1, g[0].size // max(1, wanted.size))
                if np.shape(product) != wanted.shape or near(product, wanted, size, s.outputs):
                    continue
                if not near(product, wanted, size + _milder(s, vjp, name, g), s.outputs):
                    yield f"{vjp.name}[{name}] is not the upstream gradient times {local.name}"
    if not tried:
        raise NotTried("it has no local gradients and vector-Jacobian products of the same variable")
