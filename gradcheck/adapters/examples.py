"""Find arrays that a forward method accepts: shapes are tried from the likely to the unlikely.

Most layers take `(batch, features)`; some take columns, single samples, images or sequences. The first shapes that
run are taken, or the first for which the derivative can be asked as well.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.adapters.arguments import Role
from gradcheck.adapters.words import LABELS, plain
from gradcheck.errors import CannotBuild, NotWritten, told
from gradcheck.problem import Array, Sizes

Shape = tuple[int, ...]
Given = list[Array]

TRIES = 400
CELLS = 96
BIASES = ("b", "bias", "biases")
WEIGHT = re.compile(r"w_?[a-z]{0,2}|weights?|kernel")  # W, Wx, W_hh


def shapes(
    sizes: Sizes,
    weights: Sequence[Shape],
    columns: bool = False,
    numbers: Sequence[int] = (),
    declared: Sequence[int] = (),
) -> list[Shape]:
    """List shapes of one input, likely ones first, from the sizes and the shapes of the weights.

    `numbers`: what the object keeps; a weight may have so many rows beside those for the input (`(n_in + hidden, …)`).
    `declared`: widths that its constructor says by name.
    """
    batch, inputs, outputs = sizes.batch, sizes.inputs, sizes.outputs
    # One row is a vector of features, not a matrix with one input.
    widths = (
        [w[1] if w[0] == 1 else w[0] for w in weights if len(w) == 2]
        + [*declared, inputs]
        + [n for w in weights for n in w]
        + [outputs]
    )
    widths = list(dict.fromkeys(widths))
    channels = list(dict.fromkeys([n for w in weights if len(w) == 4 for n in w] + widths))
    found: list[Shape] = [(batch, n) for n in widths]
    found += [(n, batch) for n in widths]
    found += [(n, 1) for n in widths if columns]
    found += [(n,) for n in widths]
    # Images are small and few: a convolution in Python loops is slow.
    for height, width in ((4, 2), (6, 4), (9, 7)):
        found += [(min(batch, 2), height, width, n) for n in channels]
        found += [(min(batch, 2), n, height, width) for n in channels]
    found += [(batch, 6, n) for n in widths]
    found += [(batch, n, 6) for n in widths]
    found += [(n, n) for n in widths]  # where rows, columns and samples could be taken for each other
    found += [(1, n) for n in widths]
    found += [(n, 1) for n in widths]
    found += [(), (1,), (6, 4), (6, 4, channels[0]), (batch, 2)]
    rest = [w[0] - n for w in weights if len(w) == 2 for n in _known(weights, numbers) if w[0] > n]
    found += [shape for n in rest for shape in ((batch, n), (batch, 6, n))]
    return list(dict.fromkeys(found))


def hinted(roles: Sequence[Role], sizes: Sizes) -> Iterator[tuple[Shape, ...]]:
    """Yield shapes for arguments of which some are named like weights: `W`, `b`, and the data that fits them.

    Beside a matrix `X`, a small `w` and `y` are vectors first, as in `X @ w − y`.
    """
    b, i, o = sizes.batch, sizes.inputs, sizes.outputs
    options: list[list[Shape]] = []
    names = [role.name.lower().rstrip("0123456789") for role in roles]
    # Beside weights, data may be a state of their other size.
    states = [(b, o)] if any(WEIGHT.fullmatch(name) for name in names) else []
    for name in names:
        if WEIGHT.fullmatch(name):
            options.append([(o, i), (i, o), (o, o)])
        elif name in BIASES:
            options.append([(o,), (1, o), (o, 1)])
        elif name in ("gamma", "beta", "scale", "shift"):
            options.append([(i,), (1, i)])
        else:
            options.append([(b, i), *states, (i,), (i, b)])
    if {"X", "w"} <= {role.name for role in roles}:
        vectors: dict[str, list[Shape]] = {"w": [(i,)], "y": [(b,)]}
        options = [[*vectors.get(role.name, []), *some] for role, some in zip(roles, options, strict=True)]
    if any(choice[0] != (b, i) for choice in options):
        yield from itertools.product(*options)
    if any(WEIGHT.fullmatch(name) for name in names):
        # Images or sequences beside filters, with channels first.
        for image in ((6, 5), (7,)):
            kernel = (3,) * len(image)
            yield tuple(
                (o, i, *kernel) if WEIGHT.fullmatch(name) else (o,) if name in BIASES else (2, i, *image)
                for name in names
            )


def states(count: int, sizes: Sizes, weights: Sequence[Shape], numbers: Sequence[int]) -> Iterator[tuple[Shape, ...]]:
    """Yield shapes of an input and of states beside it, which are all of one size, as rows, columns and vectors.

    Weights of a cell may belong to both (`(n_in + hidden, 4 · hidden)`): sizes are `numbers` that the object keeps, the
    axes of its weights, and a third, a quarter, or what is left of these.
    """
    axes = [n for shape in weights if len(shape) in (1, 2) for n in shape]
    known = _known(weights, numbers)
    widths = list(dict.fromkeys([sizes.inputs, *known]))
    pairs = [(x, h) for h in known for x in widths if x + h in axes and x != h]
    pairs += [(x, h) for h in known for x in widths if {x, h} <= {*axes} and (x, h) not in pairs]
    for x, h in pairs:
        yield (sizes.batch, x), *((sizes.batch, h),) * (count - 1)
        yield (x, sizes.batch), *((h, sizes.batch),) * (count - 1)
        yield (x, 1), *((h, 1),) * (count - 1)
        yield (x,), *((h,),) * (count - 1)
    for x, h in pairs[:4]:  # a whole sequence, of rows or columns, and the state that it begins with
        yield (sizes.batch, 6, x), *((sizes.batch, h),) * (count - 1)
        yield (6, sizes.batch, x), *((sizes.batch, h),) * (count - 1)
        yield (6, x, 1), *((h, 1),) * (count - 1)


def _known(weights: Sequence[Shape], numbers: Sequence[int]) -> list[int]:
    """Widths that a state may have: `numbers`, the axes of weights, and the share of one gate of them."""
    axes = [n for shape in weights if len(shape) in (1, 2) for n in shape]
    shares = [n // gates for n in axes for gates in (4, 3, 2) if n % gates == 0]
    return [n for n in dict.fromkeys([*numbers, *axes, *shares]) if n > 1]


def candidates(
    roles: Sequence[Role],
    sizes: Sizes,
    shapes_of_one: list[Shape],
    hints: bool = True,
    cells: Sequence[tuple[Shape, ...]] = (),
) -> Iterator[tuple[Shape, ...]]:
    """Yield shapes, one per role: hinted ones, all the same, of `cells`, then combinations of likely and mixed ones."""
    count = len(roles)
    if count > 1 and hints:
        yield from hinted(roles, sizes)
    labels = [plain(role.name) in LABELS and number > 1 for number, role in enumerate(roles)]
    lengths = [role.data == "class-indices" and role.domain is not None for role in roles]
    for shape in shapes_of_one:
        if any(lengths):  # one number of steps for each sequence
            yield tuple(shape[:2] if is_length else shape for is_length in lengths)
        yield (shape,) * count
        if any(labels) and len(shape) > 1:  # beside two rows or more that are compared, one label for each
            yield tuple(shape[:1] if is_label else shape for is_label in labels)
    yield from cells
    if count > 1:
        few = shapes_of_one[: 12 if count == 2 else 6]
        for combination in itertools.product(few, repeat=count):
            if len(set(combination)) > 1:
                yield combination
        # One vector for each sample beside a sequence for each: a query and its keys.
        rows = [shape for shape in few if shape[:1] == (sizes.batch,) and len(shape) == 2]
        for row in rows[: 4 if count < 4 else 0]:
            mixed = itertools.product([row, (row[0], 6, row[1])], repeat=count)
            yield from (some for some in mixed if len(set(some)) > 1)
            yield (2, row[1], 4, 3), *((2, row[1]),) * (count - 1)  # numbers for each channel of an image


def draw(role: Role, shape: Shape, rng: np.random.Generator) -> Array:
    """Return example values for one argument: short decimals, probabilities, one-hot rows or class numbers."""
    if role.data == "one-hot":
        return _one_hot(shape, rng)
    if role.data == "class-indices":
        least = int(role.domain[0]) if role.domain else 0
        return rng.integers(least, shape[-1] + least if shape else 2, size=shape[:-1])
    if role.data == "probabilities":
        return np.asarray(np.round(rng.uniform(0.05, 0.95, size=shape), 2))
    values = np.round(rng.normal(size=shape), 2)
    low, high = role.domain or (-np.inf, np.inf)
    if np.isfinite(low) and np.isfinite(high):
        return np.asarray(low + (high - low) * rng.uniform(0.1, 0.9, size=shape))
    if np.isfinite(low):
        return np.asarray(low + 0.1 + np.abs(values))
    return np.asarray(high - 0.1 - np.abs(values) if np.isfinite(high) else values)


def _one_hot(shape: Shape, rng: np.random.Generator) -> Array:
    if not shape:
        return np.asarray(1.0)
    rows = int(np.prod(shape[:-1]))
    labels = np.zeros((rows, shape[-1]))
    labels[np.arange(rows), rng.integers(0, shape[-1], size=rows)] = 1.0
    return labels.reshape(shape)


def find(
    roles: Sequence[Role],
    sizes: Sizes,
    weights: Sequence[Shape],
    rng: np.random.Generator,
    runs: Callable[[Given], object],
    answers: Callable[[Given], None] | None = None,
    narrow: bool = False,
    hints: bool = True,
    columns: bool = False,
    numbers: Sequence[int] = (),
    declared: Sequence[int] = (),
) -> tuple[list[Role], Given]:
    """Return example arrays, one per role, with which `runs` raises nothing.

    With `answers`, the first with which it raises nothing either is preferred: code without a batch axis may run on
    rows all the same. A label that is not accepted as
    one-hot rows is tried as class numbers, and numbers that are refused are tried above 0. Without `hints`, names say
    nothing about shapes. With `columns`, they are tried before vectors. `numbers`: whole numbers that the object keeps;
    `declared`: those that say a width.
    Where nothing runs in float64, arrays are float32. Raises CannotBuild with the first shape's error.
    """
    first: tuple[list[Role], Given] | None = None
    error_of_first: Exception | None = None
    tried, refused = 0, False
    cells = list(states(len(roles), sizes, weights, numbers))[:CELLS] if len(roles) > 1 else []
    known = shapes(sizes, weights, columns, numbers, declared)
    for meaning in _meanings(roles):
        for shape in candidates(meaning, sizes, known, hints, cells):
            tried += 1
            if tried > TRIES:
                break
            given = [draw(role, one, rng) for role, one in zip(meaning, shape, strict=True)]
            if narrow:
                given = [array.astype(np.float32) if array.dtype.kind == "f" else array for array in given]
            try:
                with np.errstate(all="ignore"):
                    runs([array.copy() for array in given])
            except NotImplementedError as error:
                raise NotWritten(f"its forward is not implemented ({told(error)})") from error
            except Exception as error:  # the wrong shape may raise anything; another one is tried
                error_of_first = error_of_first or error
                refused |= isinstance(error, (ArithmeticError, AssertionError)) or not any(shape)
                continue
            if answers is None or _answers(answers, given):
                return list(meaning), given
            first = first or (list(meaning), given)
    if first is not None:
        return first
    above = [replace(role, domain=(0.0, np.inf)) if role.data == "real" else role for role in roles]
    if refused and above != list(roles) and not any(role.domain for role in roles):
        with contextlib.suppress(CannotBuild):  # numbers may be refused for their sign
            return find(above, sizes, weights, rng, runs, answers, narrow, hints, columns, numbers, declared)
    if not narrow:
        with contextlib.suppress(CannotBuild):  # what insists on float32 is asked in float32
            return find(roles, sizes, weights, rng, runs, answers, True, hints, columns, numbers, declared)
    names = ", ".join(role.name for role in roles)
    why = told(error_of_first)
    raise CannotBuild(
        f"no arrays were found that its forward({names}) accepts: {why}; "
        "define gradcheck_example() on the class, which returns (instance, inputs)"
    ) from error_of_first


def widest(given: Given, runs: Callable[[Given], object]) -> str:
    """Return the widest type that forward takes: float64, or where it refuses that, the type of what it was given."""
    floats = {array.dtype.name for array in given if array.dtype.kind == "f"}
    if floats <= {"float64"}:
        return "float64"
    try:
        with np.errstate(all="ignore"):
            runs([array.astype(float) if array.dtype.kind == "f" else array.copy() for array in given])
    except Exception:  # an assertion about the type, say
        return max(floats, key=lambda name: np.finfo(name).precision)
    return "float64"


def _answers(answers: Callable[[Given], None], given: Given) -> bool:
    try:
        with np.errstate(all="ignore"):
            answers([array.copy() for array in given])
    except NotImplementedError:
        return True
    except Exception:  # the derivative cannot be asked with these shapes; others are tried
        return False
    return True


def _meanings(roles: Sequence[Role]) -> Iterator[Sequence[Role]]:
    yield roles
    if any(role.data == "one-hot" for role in roles):
        yield [Role(r.name, r.constant, "class-indices") if r.data == "one-hot" else r for r in roles]
