"""Arrays that an object accepts: those that came with it, else the first with which it runs and can be asked back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck.adapters import arguments, examples, returned, weights, widths
from gradcheck.adapters.arguments import Role
from gradcheck.adapters.construct import LARGE, Made, duplicate
from gradcheck.adapters.prepared import prepared
from gradcheck.adapters.study import require_shapes
from gradcheck.adapters.tried import Tried
from gradcheck.errors import CannotBuild, NotWritten, told
from gradcheck.problem import Array, Sizes
from gradcheck.variants.axes import transposes


def accepted(tried: Tried, made: Made, sizes: Sizes, hints: bool) -> tuple[list[Role], list[Array]]:
    """Return what each input is, and an array for it; an object that has to be made ready first is."""
    found = tried.roles
    if made.inputs is not None:
        if len(made.inputs) != len(found):
            raise CannotBuild(f"its example gives {len(made.inputs)} inputs, but forward takes {len(found)}")
        given = [np.asarray(array) for array in made.inputs]
        return [arguments.fitting(r, a) for r, a in zip(found, given, strict=True)], given
    if not found:
        raise CannotBuild("its forward takes no array")
    try:
        return _searched(tried, sizes, hints)
    except NotWritten:
        raise
    except CannotBuild as error:
        if isinstance(error.__cause__, IndexError):
            for numbers in _numbered(found):
                tried.roles = numbers
                with contextlib.suppress(CannotBuild):
                    return _searched(tried, sizes, hints)
            tried.roles = found
        for ready in prepared(tried.obj, sizes):
            tried.obj = ready
            with contextlib.suppress(CannotBuild):
                return _searched(tried, sizes, hints)
        raise


def _numbered(roles: list[Role]) -> Iterator[list[Role]]:
    """What the inputs are where one of them, or each, is of whole numbers: indices into a table."""
    for at in range(len(roles)):
        yield [replace(r, constant=True, data="class-indices") if n == at else r for n, r in enumerate(roles)]
    if len(roles) > 1:
        yield [replace(r, constant=True, data="class-indices") for r in roles]


def _searched(tried: Tried, sizes: Sizes, hints: bool) -> tuple[list[Role], list[Array]]:
    refused: list[tuple[tuple[int, ...], Exception]] = []
    tried.note = ""

    def runs(arrays: list[Array]) -> None:
        returned.filled(tried.run_of(duplicate(tried.obj))(*arrays))

    def both(arrays: list[Array]) -> None:
        twin = duplicate(tried.obj)
        try:
            tried.warm(twin, arrays)
            found = tried.study(arrays, twin)
            if isinstance(found.said, Exception):
                raise found.said
        except Exception as error:
            refused.append((arrays[0].shape, error))
            raise
        if not takes_rows(arrays):
            require_shapes(found, arrays, twin)

    def takes_rows(arrays: list[Array]) -> bool:
        """Whether each row of the one input makes its own row of the output: what goes back is then held to rows."""
        if len(arrays) != 1 or arrays[0].ndim != 2 or arrays[0].dtype.kind != "f" or len(arrays[0]) < 2:
            return False
        moved = arrays[0].copy()
        moved[0] = 1.25 * moved[0] + 0.125
        before, after = (np.asarray(tried.outputs([one])[0]) for one in (arrays[0], moved))
        return before.shape[:1] == arrays[0].shape[:1] and np.array_equal(before[1:], after[1:], equal_nan=True)

    shapes = [slot.array.shape for slot in weights.every(tried.obj) if slot.array.ndim]
    # Code that transposes is not meant for vectors, which `.T` leaves as they are.
    columns = not shapes and transposes([type(tried.obj)])
    kept = getattr(tried.obj, "__dict__", {}).values()
    numbers = [int(one) for one in kept if isinstance(one, (int, np.integer)) and 1 < one < LARGE]
    roles, given = examples.find(
        tried.roles,
        sizes,
        shapes,
        tried.rng,
        runs,
        both,
        hints=hints,
        columns=columns,
        numbers=numbers,
        declared=widths.declared(tried.obj),
    )
    if refused and refused[0][0] != given[0].shape:
        shape, error = refused[0]
        tried.note = f"forward takes {roles[0].name} of shape {shape}, too, but then it raises {told(error)}"
    return roles, given
