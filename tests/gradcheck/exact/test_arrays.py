"""What NumPy does with floats, the exact arrays do as well: values against NumPy's, derivatives against differences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from gradcheck.exact import NotExact, along
from gradcheck.exact.arrays.array import ExactArray, as_array, exact
from gradcheck.exact.arrays.makers import MAKERS
from gradcheck.exact.arrays.table import NUMPY, UNKNOWN
from gradcheck.exact.evaluate import balls
from gradcheck.exact.jets.jet import Jet

RNG = np.random.default_rng(0)
A = RNG.uniform(0.2, 2.0, size=(3, 4))
B = RNG.uniform(-2.0, 2.0, size=(4, 3))
S = np.eye(3) * 3 + RNG.uniform(-0.5, 0.5, size=(3, 3))
T = RNG.uniform(-1, 1, size=(2, 3, 4))

Function = Callable[[Any], Any]


def in_place(x: Any) -> Any:
    y = np.zeros((3, 4))
    y += x
    y[1] *= 2.0
    y[:, 0] = x[:, 1] ** 2
    y[x > 1] = 0
    np.add.at(y, ([0, 0, 1], [1, 1, 2]), x[0, :3])
    np.multiply(y, x, out=y)
    return y


def written(x: Any) -> Any:
    y = np.empty((3, 4))
    np.copyto(y, 0.5)
    np.fill_diagonal(y, 2.0)
    np.put_along_axis(y, np.array([[0], [1], [2]]), x[:, :1], axis=1)
    np.putmask(y, np.zeros((3, 4), dtype=bool), 1.0)
    y.put([5, 6], [0.1, x[0, 0]])
    np.place(y, y > 1.9, 0.2)
    y[:, 3].fill(0.1)
    return np.exp(np.asarray(y)) * x


def lists(x: Any) -> Any:
    rows = [x[0] * x[1], x[2]]
    numbers = [np.sum(rows[0]), np.mean([rows[1][0], rows[1][1]]), max(rows[1]), sum(rows[0])]
    return np.array(numbers) * np.array(rows)[0]


def masked(x: Any) -> Any:
    out = np.divide(1.0, x, out=np.zeros_like(x), where=x > 1)
    return out + np.sum(x, axis=1, keepdims=True, where=x < 1.5) + np.max(x, initial=1.0, where=x < 1.5)


CASES: dict[str, tuple[Function, Any]] = {
    "arithmetic": (lambda x: (2 * x - x / 3 + 1) ** 2 / (1 + x) - x**3 // 2 + x % 0.7, A),
    "reflected": (lambda x: 2.0**x + 1.0 / x - (1.0 - x) + 5.0 % x + 3.0 // x, A),
    "in place": (in_place, A),
    "written": (written, A),
    "lists": (lists, A),
    "masked": (masked, A),
    "sum": (lambda x: np.sum(x) * x.sum(axis=0) + np.sum(x, axis=(0, 1), keepdims=True), A),
    "prod": (lambda x: x.prod(axis=1) + np.multiply.reduce(x[0]), A),
    "max and min": (lambda x: x.max(axis=1) * np.min(x) + np.amax(x, axis=0).sum() + np.ptp(x), A),
    "mean": (lambda x: np.mean(x, axis=0) * x.mean(), A),
    "var": (lambda x: np.var(x, axis=1, ddof=1) + x.var() + np.var(x, where=x > 0), A),
    "std": (lambda x: np.std(x, axis=0, keepdims=True) + x.std(ddof=1), A),
    "average": (lambda x: np.average(x, axis=1, weights=np.array([1.0, 2, 3, 4])) + np.average(x, weights=x), A),
    "median": (lambda x: np.median(x, axis=1) + np.median(x), A),
    "quantiles": (lambda x: np.percentile(x, 30) + np.quantile(x, [0.2, 0.9], axis=1), A),
    "cov": (lambda x: np.cov(x) + np.corrcoef(x), A),
    "cumsum": (lambda x: np.cumsum(x) + x.cumsum(axis=0).ravel() + np.add.accumulate(x, axis=1).ravel(), A),
    "cumprod": (lambda x: np.cumprod(x, axis=1) + np.maximum.accumulate(x, axis=0), A),
    "reduceat": (lambda x: np.add.reduceat(x, [0, 2, 1], axis=1), A),
    "outer": (lambda x: np.outer(x[0], x[1]) + np.multiply.outer(x[0], x[1]) + np.subtract.outer(x[2], x[0]), A),
    "sort": (lambda x: np.sort(x, axis=0) * np.arange(4) + x.argsort(axis=1), A),
    "sorted in place": (lambda x: _sorted(x), A),
    "partition": (lambda x: np.partition(x, 2, axis=1)[:, 2] + np.argpartition(x, 1, axis=1)[:, 1], A),
    "argmax": (lambda x: np.take_along_axis(x, x.argmax(axis=1)[:, None], 1) + x[np.argmin(x, axis=0), range(4)], A),
    "unique": (lambda x: np.unique(x) * np.searchsorted(np.unique(x), 1.0), A),
    "top": (lambda x: x[np.arange(3)[:, None], np.argsort(-x, axis=1)[:, :2]], A),
    "where": (lambda x: np.where(x > 1, x, 0) + np.where(x > 1, 1, x) + x[np.where(x > 1)].sum(), A),
    "select": (lambda x: np.select([x > 1.5, x > 1], [x, x**2], 0.0) + np.choose((x > 1).astype(int), [x, 2 * x]), A),
    "piecewise": (lambda x: np.piecewise(x, [x < 1, x >= 1], [lambda t: t**2, lambda t: 2 * t]), A),
    "clip": (lambda x: np.clip(x, 0.5, 1.5) + x.clip(min=1.0) + np.clip(x, None, np.array([1.0, 2, 1, 2])), A),
    "rounding": (lambda x: x * (np.round(x, 1) + np.rint(x) + np.floor(x) + np.fix(x) + x.round(2)), A),
    "closeness": (lambda x: x * np.isclose(x, 1.0, atol=0.5) + x * np.allclose(x, x) + x * np.array_equal(x, x), A),
    "parts of numbers": (lambda x: np.real(x) * 2 + np.imag(x) + x * np.iscomplexobj(x) + x * np.isrealobj(x), A),
    "tests": (lambda x: x * np.isfinite(x) * ~np.isnan(x) * ~np.isinf(x) * np.logical_and(x > 0.5, x < 1.5), A),
    "any and all": (lambda x: x * np.any(x > 1, axis=0) * x.all() * (x > 0.3).all(axis=0), A),
    "nan_to_num": (lambda x: np.nan_to_num(x) + np.nansum(x) + np.nanmax(x, axis=0), A),
    "nonzero": (lambda x: x.ravel()[np.flatnonzero(x > 1)] * np.count_nonzero(x), A),
    "matmul": (lambda x: x @ B + np.dot(x, B) + np.matmul(x, B) + x.dot(B), A),
    "vectors": (lambda x: x[0] @ B @ x[:, 0] + np.inner(x[0], x[1]) + np.vdot(x[0], x[1]) + np.dot(2.0, x[0, 0]), A),
    "stacks": (lambda x: x @ B + np.matmul(T[0], np.swapaxes(x, 1, 2)) @ x[0, :, :3], T),
    "tensordot": (lambda x: np.tensordot(x, T, axes=([1, 2], [1, 2])) + np.tensordot(x[0], B, 1).sum(), T),
    "einsum": (lambda x: np.einsum("ijk,kl->ijl", x, B) + np.einsum("bij->ij", x)[None, :, :3], T),
    "einsum, more": (lambda x: np.einsum("ij,kj,k->i", x, x, x[:, 0]) + np.einsum("ii->i", x[:, :3]), A),
    "einsum, dots": (lambda x: np.einsum("...io,...o->...i", x, x[:, 0]) + np.einsum("bij,bij->b", x, x).sum(), T),
    "einsum, lists": (lambda x: np.einsum(x, [0, 1], B, [1, 2], [0, 2]) + np.einsum("ij", x).sum(), A),
    "convolve": (lambda x: np.convolve(x[0], x[1, :3]) + np.convolve(x[0], [1.0, 2, 3], "full"), A),
    "convolve, same": (lambda x: np.convolve(x[0], x[1, :3], "same") + np.correlate(x[0], x[1, :3], "same"), A),
    "correlate": (lambda x: np.correlate(x[0], x[1, :2]).sum() + np.correlate(x[0], x[2, :3], "full"), A),
    "windows": (lambda x: (np.lib.stride_tricks.sliding_window_view(x, (2, 2)) * B[:2, :2]).sum(axis=(2, 3)), A),
    "strided": (lambda x: np.lib.stride_tricks.as_strided(x, (2, 2), x.strides).sum() * x, A),
    "solve": (lambda x: np.linalg.solve(x, B[:3]) + np.linalg.solve(x, B[0])[:, None], S),
    "inv": (lambda x: np.linalg.inv(x) + np.linalg.inv(np.stack([x, 2 * x]))[1], S),
    "det": (lambda x: np.linalg.det(x) + np.linalg.slogdet(x)[1] * np.linalg.slogdet(x)[0], S),
    "cholesky": (lambda x: np.linalg.cholesky(x @ x.T), S),
    "norm": (lambda x: np.linalg.norm(x) + np.linalg.norm(x, axis=1) + np.linalg.norm(x, 1, axis=0)[:3], A),
    "norms": (lambda x: np.linalg.norm(x, np.inf) + np.linalg.norm(x, "fro") + np.linalg.norm(x[0], 3), A),
    "norms of columns": (lambda x: np.linalg.norm(x, 1) + np.linalg.norm(x, -np.inf, axis=0), A),
    "matrix power": (lambda x: np.linalg.matrix_power(x, 3) + np.linalg.multi_dot([x, x, x]) + np.trace(x), S),
    "fft": (lambda x: np.abs(np.fft.fft(x, axis=1)) ** 2 + np.real(np.fft.ifft(x, 6, axis=1))[:, :4], A),
    "rfft": (lambda x: np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(B[:3, :2], 4)) + np.fft.rfft(x).imag[:, 1:2], A),
    "fft2": (lambda x: np.fft.ifft2(np.fft.fft2(x) * np.fft.fft2(A)).real + np.fft.irfft2(np.fft.rfft2(x)), A),
    "fftn": (lambda x: np.fft.ifftn(np.fft.fftn(x, norm="ortho")).real + np.angle(np.fft.fft(x))[..., 1:2], A),
    "complex": (lambda x: ((x + 2j * x) * np.conj(x - 1j)).imag + np.abs(np.exp(1j * x)) + (x * 1j).conj().imag, A),
    "interp": (lambda x: np.interp(x, [0.0, 1.0, 2.0], [1.0, 3.0, 2.0]) + np.interp(1.0, [0.0, 2.0], x[0, :2]), A),
    "gradient": (lambda x: np.gradient(x, 0.5, axis=1) + np.gradient(x)[0] + np.diff(x, axis=1, prepend=0.0), A),
    "polynomials": (lambda x: np.polyval([1.0, 2.0, 3.0], x) + np.trace(x), A),
    "histogram": (lambda x: x * np.histogram(x, [0.0, 1.0, 3.0])[0].sum() * np.digitize(x, [0.5, 1.0]), A),
    "bincount": (lambda x: np.bincount([0, 2, 2, 1], weights=x[0], minlength=4) + np.bincount([0, 3])[:1], A),
    "joining": (lambda x: np.concatenate([x, x[:1]]) + np.vstack([x, np.ones((1, 4))]) + np.stack([x[0]] * 4)[:4], A),
    "joining, more": (lambda x: np.hstack([x, x]) + np.block([[x, x]]) + np.append(x, x, axis=1), A),
    "shapes": (lambda x: x.reshape(4, 3).T + x.ravel().reshape(3, 4) + np.expand_dims(x, 0)[0] + x.swapaxes(0, 1).T, A),
    "parts": (lambda x: np.split(x, 2, axis=1)[0] + x[:, ::2] + x[..., [0, 3]] + x.take([1, 2], axis=1), A),
    "copies": (lambda x: np.tile(x, 2) + np.repeat(x, 2, axis=1) + np.broadcast_to(x[:, :1], (3, 8)), A),
    "moved": (lambda x: np.roll(x, 1, axis=1) + x[::-1] + np.flip(x) + np.rot90(x, 2) + np.moveaxis(x, 0, 1).T, A),
    "padded": (lambda x: np.pad(x, 1) + np.pad(x, 1, mode="edge") + np.pad(x, 1, mode="reflect"), A),
    "triangles": (lambda x: np.tril(x) + np.triu(x, 1) + np.diag(np.diag(x)) @ np.ones((3, 4)) + np.eye(3, 4), A),
    "kron": (lambda x: np.kron(x, np.ones((1, 2))) + np.cross(x[0, :3], x[1, :3]).sum(), A),
    "logaddexp": (lambda x: np.logaddexp(x, 2.0) + np.logaddexp.reduce(x, axis=1)[:, None] + np.logaddexp2(x, x), A),
    "elementary": (lambda x: np.sinc(x) + np.i0(x) + np.hypot(x, 2) + np.arctan2(x, 1 - x) + np.cbrt(x), A),
    "copysign": (lambda x: np.copysign(x, B[:3, :1]) + np.heaviside(x - 1, 0.5) * x + np.fmod(x, 0.3) + np.sign(x), A),
    "vectorized": (lambda x: np.vectorize(lambda t: t**2 if t > 1 else t)(x) + np.apply_along_axis(np.sum, 0, x), A),
    "own ufunc": (lambda x: np.frompyfunc(lambda a, b: a * b + 1, 2, 1)(x, x), A),
    "makers": (lambda x: np.full_like(x, 2.0) * np.ones_like(x) * x + np.full((3, 4), x[0, 0]), A),
    "scalars": (lambda x: x[0, 0].sum() + x[0, 0].max() + x[0, 1].reshape(1, 1)[0, 0] + x[0, 0].item() + abs(x), A),
    "loops": (lambda x: np.array([sum(v * w for v, w in zip(row, row[::-1], strict=True)) for row in x.tolist()]), A),
    "no class": (lambda x: np.exp(np.array(x, copy=True)) + np.maximum(np.asarray(x), 0), A),
}


def _sorted(x: Any) -> Any:
    y = x.copy()
    y.sort(axis=1)
    return y * np.arange(4)


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives_are_numpys(name: str) -> None:
    f, x = CASES[name]
    v = np.random.default_rng(1).uniform(0.5, 1.0, size=x.shape)
    h = 1e-6
    with np.errstate(all="ignore"):
        value, above, below = (np.asarray(f(x + step * v), dtype=float) for step in (0, h, -h))
    found = along(lambda values: [f(values["x"])], {"x": x}, {"x": v})
    assert found.value[0].shape == value.shape
    np.testing.assert_allclose(found.value[0].astype(float), value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.derivative[0].astype(float), (above - below) / (2 * h), rtol=1e-6, atol=1e-6)
    enclosures = [ball for part in (*found.value, *found.derivative) for ball in part.flat]
    assert all(ball.rad() <= 1e-25 * (1 + abs(ball)) for ball in enclosures)


def test_every_function_of_the_table_is_in_some_case() -> None:
    """As far as its name can tell; makers are in `test_shadow`, and other names for the same are no other function."""
    text = Path(__file__).read_text()
    names = {function.__name__ for function in NUMPY if function not in MAKERS}
    assert {name for name in names if f".{name}(" not in text} <= {"around", "amin", "vector_norm", "matrix_norm"}


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x.dtype, np.dtype("float64")),
        (lambda x: (x + 1j).dtype, np.dtype("complex128")),
        (lambda x: x[0, 0].dtype, np.dtype("float64")),
        (lambda x: x.dtype.kind, "f"),
        (lambda x: (x > 0).dtype, np.dtype(bool)),
        (lambda x: np.argmax(x, axis=0).dtype, np.dtype(np.intp)),
        (lambda x: x.astype(int).dtype, np.dtype(int)),
        (lambda x: np.iscomplexobj(x), False),
        (lambda x: np.isrealobj(x + 1j), False),
        (lambda x: np.result_type(x.dtype, np.float32), np.dtype("float64")),
        (lambda x: np.finfo(x.dtype).eps, 2.0**-52),
        (lambda x: np.finfo(x[0, 0].dtype).eps, 2.0**-52),
        (lambda x: np.issubdtype(x[0, 0].dtype, np.floating), True),
        (lambda x: x.nbytes, 96),
        (lambda x: (x.shape, x.ndim, x.size, x[0, 0].shape, x[0, 0].ndim), ((3, 4), 2, 12, (), 0)),
        (lambda x: isinstance(x, np.ndarray), True),
    ],
)
def test_what_code_asks_about_types_is_what_floats_answer(f: Function, expected: Any) -> None:
    def forward(values: Any) -> list[Any]:
        assert f(values["x"]) == expected
        return [values["x"]]

    along(forward, {"x": A}, {})


@pytest.mark.parametrize("name", ["vector_norm", "matrix_norm"])
def test_norms_of_numpy_2(name: str) -> None:
    norm = getattr(np.linalg, name, None)
    if norm is None:
        pytest.skip("this NumPy has it not")
    found = along(lambda values: [norm(values["x"])], {"x": A}, {})
    assert abs(float(found.value[0].item()) - norm(A)) < 1e-12


@pytest.mark.parametrize("function", sorted(UNKNOWN, key=lambda f: f.__name__))
def test_what_has_no_exact_form_says_so(function: Function) -> None:
    with pytest.raises(NotExact, match=rf"test_arrays\.py:\d+: np\.{function.__name__} has no exact form"):
        along(lambda values: [function(values["x"], *([S] if function is np.linalg.lstsq else []))], {"x": S}, {})


@pytest.mark.parametrize("name", ["spacing", "nextafter", "frexp"])
def test_a_ufunc_without_an_exact_form_says_so(name: str) -> None:
    ufunc = getattr(np, name)
    with pytest.raises(NotExact, match=f"{name} has no exact form"):
        along(lambda values: [ufunc(*[values["x"]] * ufunc.nin)], {"x": A}, {})


def test_an_array_that_has_lost_its_class_is_lifted_again() -> None:
    lost = np.asarray(exact(np.array([1.0, 2.0])))
    assert type(lost) is np.ndarray
    lost[0] = 3
    found = exact(lost)
    assert type(found) is ExactArray
    assert all(type(x) is Jet for x in np.ndarray.view(found, np.ndarray))


def test_objects_that_are_no_numbers_stay_what_they_are() -> None:
    words = np.array(["a", None], dtype=object)
    assert exact(words) is words


@pytest.mark.parametrize(
    "write",
    [
        lambda y: np.copyto(y, 0.1),
        lambda y: np.copyto(dst=y, src=np.full(y.shape, 0.1)),
        lambda y: np.put(y, range(4), 0.1),
        lambda y: y.put(range(4), 0.1),
        lambda y: y.fill(0.1),
        lambda y: np.copyto(y[::-1], 0.1),
        lambda y: y.__setitem__(..., 0.1),
    ],
)
def test_plain_numbers_that_are_written_become_exact(write: Function) -> None:
    """0.1 + 0.2 is no 0.30000000000000004 there."""
    array = as_array(np.zeros((2, 2)))
    write(array)
    assert all(type(x) is Jet for x in np.ndarray.view(array, np.ndarray).flat)


def test_single_entries_are_written_as_numbers() -> None:
    array = as_array(np.zeros(2))
    array[0], array[1] = Jet(balls(as_array(np.ones(1)))[0]), np.array(2.0)
    assert [float(ball) for ball in balls(array)] == [1.0, 2.0]
