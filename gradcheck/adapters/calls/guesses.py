"""What an argument may be: guesses from its name, its default and what the code does with it, the likeliest first."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from gradcheck.adapters.calls import words
from gradcheck.adapters.calls.recording import Sampler
from gradcheck.adapters.calls.shapes import Axis
from gradcheck.adapters.calls.source import Facts, shape_in_docstring
from gradcheck.problem import Array

Content = Literal["real", "classes", "one-hot", "binary", "signs", "mask", "probabilities", "positive"]
LABELS: tuple[Content, ...] = ("classes", "one-hot", "binary", "signs", "mask")


@dataclass(frozen=True)
class Numbers:
    """An array; `hot` is the axis along which one entry of labels is 1."""

    content: Content
    axes: tuple[Axis, ...]
    hot: int = -1


@dataclass(frozen=True)
class Fixed:
    """A value that is held."""

    value: Any


@dataclass(frozen=True)
class Size:
    """A whole number that is the size of an axis."""

    axis: str


@dataclass(frozen=True)
class SizeList:
    """A list of sizes: the widths of layers."""

    axes: tuple[str, ...]


@dataclass(frozen=True)
class Entries:
    """A dict, whose entries are found by reading them (`exact`: it has those that are known, and no more)."""

    exact: bool = False


Guess = Numbers | Fixed | Size | SizeList | Entries

# Settings by name: what is tried, first what shows most (a stride of 2 shows that it is forgotten).
SETTINGS: dict[str, tuple[Any, ...]] = {
    "stride": (2, 1),
    "strides": (2, 1),
    "pad": (1, 0),
    "padding": (1, 0, "same", "valid"),
    "dilation": (1, 2),
    "pool_height": (2,),
    "pool_width": (2,),
    "pool_size": (2,),
    "pool_h": (2,),
    "pool_w": (2,),
    "kernel_size": (3, 2),
    "filter_size": (2, 3),
    "f": (2, 3),
    "ksize": (2, 3),
    "eps": (1e-5,),
    "epsilon": (1e-5,),
    "momentum": (0.9,),
    "mode": ("train",),
    "training": (True,),
    "train": (True,),
    "is_training": (True,),
    "is_train": (True,),
    "train_flg": (True,),
    "train_flag": (True,),
    "axis": (-1, 0, 1),
    "dtype": (np.float64,),
    "p": (0.6,),
    "keep_prob": (0.6,),
    "keep": (0.6,),
    "rate": (0.4,),
    "drop": (0.4,),
    "dropout": (0.4,),
    "dropout_rate": (0.4,),
    "drop_prob": (0.4,),
    "drop_rate": (0.4,),
    "prob": (0.4,),
    "g": (2, 1),
    "groups": (2, 1),
    "num_groups": (2, 1),
    "n_groups": (2, 1),
    "heads": (2, 1),
    "num_heads": (2, 1),
    "n_heads": (2, 1),
    "verbose": (False,),
    "debug": (False,),
    "seed": (0, None),
    "delta": (0.75,),
    "margin": (1.0,),
    "temperature": (1.5,),
    "temp": (1.5,),
    "tau": (1.5,),
    "slope": (0.3,),
    "negative_slope": (0.3,),
    "leak": (0.3,),
    "leaky_slope": (0.3,),
    "alpha": (0.3, 1),
    "window": (2,),
    "windowsize": (2,),
    "window_size": (2,),
    "lr": (0.1,),
    "learning_rate": (0.1,),
    "learningrate": (0.1,),
    "smoothing": (0.1,),
    "label_smoothing": (0.1,),
    "reduction": ("mean", "sum"),
    "bias": (True,),
    "use_bias": (True,),
    "nonlinearity": ("tanh", "relu"),
    "activation": ("relu", "tanh", "sigmoid"),
    "act": ("relu", "tanh", "sigmoid"),
    "hyperparams": ({},),
}
PENALTIES = words.vocabulary(
    "reg regs l1 l2 lam lamb lambd lambda lambda_ lmbda lmbd lambda1 lambda2 _lambda l2_reg l1_reg weight_decay wd c"
    " regularization reg_lambda reg_strength regularization_strength l2_lambda rho sparsity_param sparsityparam"
    " lambda_reg reglambda regparam beta_ mu_reg"
)
PENALTY = 0.3
# Settings whose default hides that they are forgotten.
WINDOWS = frozenset({"stride", "strides", "pad", "padding"})
MAPPINGS = words.vocabulary(
    "parameters params param hparameters hparams hyperparameters model config cfg opts options weights"
)
SAMPLERS = words.vocabulary("dataset data_set sampler corpus")
LISTS = words.vocabulary("dimensions dims layer_dims layers_dims layer_sizes layers sizes layer_size shape_list")
SIZED = words.vocabulary("size sizes dim dims num n no number count units classes features vocab hidden length len")
# Settings of one letter, by a word in the name of a function that takes them so.
LETTERS: dict[str, tuple[str, ...]] = {"p": ("drop", "dropout"), "g": ("group", "groupnorm"), "f": ("pool", "conv")}
SMALL_KERNEL = words.vocabulary("hh ww kh kw fh fw k f kernel_h kernel_w filter_h filter_w ksize size")


@dataclass
class Place:
    """A leaf that has to be filled: what is known of it.

    `of_loss`: it belongs to a function of which the gradient of one number is claimed; `entry`: it stands in a dict;
    `first`: it is the first argument; `others` are the names beside it; `function`: what the function is called;
    `labels`: it may be labels (where gradients by all arguments are claimed, none are).
    """

    name: str
    parameter: inspect.Parameter | None = None
    facts: Sequence[Facts] = ()
    of_loss: bool = False
    entry: bool = False
    first: bool = False
    others: Sequence[str] = ()
    function: str = ""
    labels: bool = True
    guesses: list[Guess] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.guesses:
            self.guesses = _without_repeats(guesses(self))

    @property
    def key(self) -> str:
        """Its own name, without that of the dict that it stands in."""
        return self.name.rpartition("/")[2]

    def known(self, what: str) -> bool:
        """Whether the text says this of it."""
        return any(self.key in getattr(one, what) for one in self.facts)

    @property
    def rank(self) -> int | None:
        """How many axes the text says that it has."""
        return next((one.axes[self.key] for one in self.facts if self.key in one.axes), None)

    @property
    def dims(self) -> tuple[str, ...]:
        """What the text calls its axes."""
        return next((one.dims[self.key] for one in self.facts if self.key in one.dims), ())

    @property
    def parts(self) -> int:
        """Into how many parts the text takes it apart; 0 where it does not."""
        return max((one.unpacked.get(self.key, 0) for one in self.facts), default=0)

    @property
    def least(self) -> int:
        """How many axes the text says that it has at least."""
        return max((one.least.get(self.key, 0) for one in self.facts), default=0)

    @property
    def options(self) -> list[Any]:
        """What the text compares it with."""
        return [value for one in self.facts for value in one.options.get(self.key, [])]


def guesses(place: Place) -> list[Guess]:
    """List what a leaf may be."""
    plain = place.key.lower().strip("_")
    arrays = list(_arrays(place))
    default = place.parameter.default if place.parameter is not None else inspect.Parameter.empty
    wanted = place.parameter.annotation if place.parameter is not None else None
    has_default = default is not inspect.Parameter.empty
    texts = [Fixed(text) for text in place.options if isinstance(text, str)]
    settings = [Fixed(value) for value in SETTINGS.get(plain, ())] if _is_setting(place, plain) else []
    if has_default and not isinstance(default, np.ndarray) and default is not None:
        own = [] if plain in PENALTIES and not default else [Fixed(default)]
        settings = [*settings, *own] if plain in WINDOWS else [*own, *settings]
    if place.known("called"):
        return [Fixed(one) for one in _functions(plain)]
    if place.known("mapped") or wanted in (dict, "dict"):
        return [Entries(), *arrays]
    if plain in PENALTIES:
        return [*settings, Fixed(PENALTY), *arrays]
    named_dict = plain in MAPPINGS or plain.endswith(("_param", "_params"))
    if not place.entry and named_dict and place.rank is None and not place.least:
        return [*(arrays if plain in ("params", "weights", "model") and place.of_loss else []), Entries(), *arrays]
    if texts:
        said = {text.value for text in texts}
        return [*[one for one in settings if one.value in said], *texts, *settings]
    if plain in SAMPLERS:
        return [Fixed(Sampler()), *arrays]
    if plain in LISTS:
        return [*(SizeList(tuple(f"{place.name}.{n}" for n in range(count))) for count in _widths(place)), *arrays]
    if wanted in (int, "int") or (_is_size(place) and not settings):
        return [Size(f"{place.name}.size"), *settings, Fixed(2), Fixed(3), Fixed(1), *arrays]
    if wanted in (bool, "bool"):
        return [*settings, Fixed(True), Fixed(False)]
    if settings and (place.entry or not place.first):
        return [*settings, *arrays]
    return [*arrays, *settings, Fixed(2), Fixed(None)]


def _is_setting(place: Place, plain: str) -> bool:
    """Whether a name that may be a setting is one here: a single letter only where the function's name says so."""
    return place.entry or plain not in LETTERS or bool(set(LETTERS[plain]) & set(words.words_of(place.function)))


def is_setting(place: Place) -> bool:
    """Whether what is held there sets something: it has a default, or a name that settings have."""
    plain = place.key.lower().strip("_")
    has_default = place.parameter is not None and place.parameter.default is not inspect.Parameter.empty
    return has_default or plain in PENALTIES or (plain in SETTINGS and _is_setting(place, plain))


def _widths(place: Place) -> tuple[int, ...]:
    """How many layers a list of widths may have."""
    unpacked = [one.unpacked[place.key] for one in place.facts if one.unpacked.get(place.key)]
    return (*unpacked, max(place.least, 3), 2, 4)


def _is_size(place: Place) -> bool:
    """Whether a name says that this is a whole number: `input_layer_size`, `num_labels`, `m`."""
    found = set(words.words_of(place.key))
    is_one_letter = words.BATCHES.fullmatch(place.key) is not None and not place.first
    return not place.entry and (
        (bool(found & SIZED) and "batch" not in found) or is_one_letter or ("batch" in found and "size" in found)
    )


def _functions(plain: str) -> list[Callable[..., Any]]:
    """A smooth function, its derivative for whatever is named after one."""
    if any(word in plain for word in ("grad", "prime", "deriv", "diff", "backward")):
        return [lambda x, *_: 1.0 - np.tanh(x) ** 2]
    return [np.tanh]


def _arrays(place: Place) -> list[Guess]:
    """Arrays that a leaf may be, of all ranks that the text allows."""
    name = place.key
    found: list[Guess] = []
    if place.known("indexes") or (words.INDICES.fullmatch(name) and not place.first):
        found += _of("classes", place, (1, 2, 0))
    elif words.INDICES.fullmatch(name):
        found += [*_of("real", place, (2, 1)), *_of("classes", place, (1, 2, 0))]
    predictions = (words.PREDICTIONS, words.BEHIND_LABELS)
    leads = place.first and not any(one.fullmatch(other) for one in predictions for other in place.others)
    is_label = words.LABELS.fullmatch(name) is not None and not leads and place.labels
    if is_label:
        found += _labels(place)
    elif words.MASKS.fullmatch(name) and not place.first:
        found += _of("mask", place, (2, 1))
    shaped = [Numbers(one.content, axes) for axes in _told(place) for one in found[:1] if isinstance(one, Numbers)]
    content: Content = "positive" if words.SPREADS.fullmatch(name) or place.known("kept_above") else "real"
    content = "probabilities" if place.known("kept_inside") else content
    return [*shaped, *found, *(Numbers(content, axes) for axes in _real(place))]


def _labels(place: Place) -> list[Guess]:
    """What labels may be: by how the text uses them, else what fits most code."""
    weights = any(words.WEIGHTS.fullmatch(one) for one in place.others)
    ranks = (1, 2, 0) if weights else (2, 1, 0)
    column: tuple[Axis, ...] = (f"{place.name}.0", 1)
    row: tuple[Axis, ...] = (1, f"{place.name}.0")
    bounded = place.rank is None or place.rank == 2
    lines = [column, row] if bounded and place.least <= 2 else []
    content: Content = "signs" if place.known("signs") else "binary"
    some = [*_of(content, place, ranks), *(Numbers(content, axes) for axes in lines)]
    if place.known("signs") or place.known("binary"):
        return some
    hot = [Numbers("one-hot", axes, hot) for axes in _ranked(place, (2,)) for hot in (-1, 0)]
    if place.known("weighted") or place.rank == 2 or place.key[:1].isupper():
        return [*hot, *some, *_of("classes", place, (1, 2, 0))]
    return [*some, *hot, *_of("classes", place, (1, 2, 0))]


def _of(content: Content, place: Place, ranks: Sequence[int]) -> list[Guess]:
    return [Numbers(content, axes) for axes in _ranked(place, ranks)]


def _ranked(place: Place, ranks: Sequence[int]) -> list[tuple[Axis, ...]]:
    """Axes of their own for every rank that the text allows."""
    allowed = [place.rank] if place.rank is not None else [rank for rank in ranks if rank >= place.least]
    allowed = allowed or [place.least]
    return [tuple(f"{place.name}.{n}" for n in range(rank)) for rank in allowed]


def _told(place: Place) -> list[tuple[Axis, ...]]:
    """The axes that a docstring gives it, in letters that all its arguments share."""
    for one in place.facts:
        parts = shape_in_docstring(one.doc, place.key)
        if not parts:
            continue
        axes: list[Axis] = []
        for number, part in enumerate(parts):
            own = f"{place.name}.{number}"
            axes.append(int(part) if part.isdigit() else f"told.{part}" if part.isidentifier() else own)
        return [tuple(axes)]
    return []


def _real(place: Place) -> list[tuple[Axis, ...]]:
    """Axes of an array of numbers, by what its name says."""
    name, own = place.key, place.name
    weights = words.WEIGHTS.fullmatch(name) is not None
    dims = place.dims
    if place.parts:
        return [(place.parts,), (place.parts, f"{own}.1")]
    found: list[tuple[Axis, ...]] = list(_told(place))
    if words.is_bias(name) and not place.first and _has_weights(place):
        o = f"{own}.0"
        columns: list[tuple[Axis, ...]] = [(o,), (o, 1), (1, o), (1, 1, 1, o), (1, o, 1, 1), (o, 1, 1)]
        found += columns
        if place.of_loss and not name[-1].isdigit():
            found.insert(1, ())
    elif words.is_scale(name) and not place.first:
        d = f"{own}.0"
        beside_all = place.of_loss and any(words.FLAT.fullmatch(one) for one in place.others)
        found += [*([()] if beside_all else []), (d,), (1, d), (1, d, 1, 1), (d, 1), (1, 1, 1, d)]
    elif weights and not (place.first and name == "w" and not place.of_loss):
        found += _weights(place, dims)
    elif _is_scalar(place):
        found += _ranked(place, (0, 1, 2))
    elif _is_vector(place):
        found += _ranked(place, (1, 2, 0, 3, 4))
    else:
        found += _ranked(place, (2, 1, 3, 4, 0))
    if place.rank is not None:
        found = [axes for axes in found if len(axes) == place.rank] or _ranked(place, ())
    return [axes for axes in found if len(axes) >= place.least] or _ranked(place, (place.least,))


def _is_scalar(place: Place) -> bool:
    """Whether an argument is named like a number for the whole function."""
    is_moment = words.MOMENTS.fullmatch(place.key) is not None and any(one.stacks for one in place.facts)
    is_named = words.SCALARS.fullmatch(place.key) is not None or is_moment
    return is_named and (place.of_loss or not place.first) and not place.entry


def _has_weights(place: Place) -> bool:
    return any(words.WEIGHTS.fullmatch(one.rpartition("/")[2]) for one in place.others) or place.entry


def _is_vector(place: Place) -> bool:
    """Whether an argument of a function that returns one number is a vector rather than rows."""
    labels = place.labels and any(words.LABELS.fullmatch(one) for one in place.others)
    return place.of_loss and (place.first or not place.labels) and not labels


def _weights(place: Place, dims: Sequence[str]) -> list[tuple[Axis, ...]]:
    """Axes of weights: a matrix, a vector for one unit, or a kernel of 3 × 3 for images."""
    own = place.name
    data = next(
        (one for one in place.others if re.fullmatch(r"x|X|A_prev|A|inputs?|input_data|img|images?|h", one)), ""
    )
    channels_first: tuple[Axis, ...] = (f"{own}.0", f"{data}.1" if data else f"{own}.1", 3, 3)
    channels_last: tuple[Axis, ...] = (3, 3, f"{data}.3" if data else f"{own}.2", f"{own}.3")
    last_first = (bool(dims) and dims[0].lower() in SMALL_KERNEL) or data == "A_prev"
    kernels = [channels_last, channels_first] if last_first else [channels_first, channels_last]
    kernels += _of_sequences(place, data)
    matrix, vector, column = (f"{own}.0", f"{own}.1"), (f"{own}.0",), (f"{own}.0", 1)
    if place.of_loss and place.key[:1].islower() and not place.key[-1].isdigit():
        return [vector, column, matrix, *kernels, (f"{own}.0", f"{own}.1", f"{own}.2"), ()]
    return [matrix, *kernels, vector, column, (f"{own}.0", f"{own}.1", f"{own}.2")]


def _of_sequences(place: Place, data: str) -> list[tuple[Axis, ...]]:
    """Kernels of sequences, three wide, where the names of its axes or of the function speak of such."""
    own, dims = place.name, [one.lower() for one in place.dims]
    if not any(word.startswith("conv") for word in words.words_of(place.function)) and not SMALL_KERNEL & set(dims):
        return []
    channels_first: tuple[Axis, ...] = (f"{own}.0", f"{data}.1" if data else f"{own}.1", 3)
    channels_last: tuple[Axis, ...] = (3, f"{data}.2" if data else f"{own}.1", f"{own}.2")
    return [channels_last, channels_first] if dims and dims[0] in SMALL_KERNEL else [channels_first, channels_last]


def _without_repeats(found: Sequence[Guess]) -> list[Guess]:
    kept: list[Guess] = []
    for one in found:
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return kept


def _same(one: Guess, other: Guess) -> bool:
    if isinstance(one, Fixed) and isinstance(other, Fixed):
        return type(one.value) is type(other.value) and (one.value is other.value or _equal(one.value, other.value))
    return not isinstance(one, Fixed) and not isinstance(other, Fixed) and one == other


def _equal(one: Any, other: Any) -> bool:
    return isinstance(one, (str, int, float, bool, type(None))) and bool(one == other)


def draw(guess: Numbers, shape: tuple[int, ...], limit: int, small: bool, rng: np.random.Generator) -> Array:
    """Return values of an array: short decimals, labels of the kind that is meant."""
    if guess.content == "classes":
        return np.asarray(rng.integers(0, max(limit, 1), size=shape))
    if guess.content == "one-hot":
        return one_hot(shape, guess.hot, rng)
    if guess.content == "signs":
        return np.asarray(rng.choice([-1.0, 1.0], size=shape))
    if guess.content in ("binary", "mask"):
        return np.asarray(rng.integers(0, 2, size=shape).astype(float))
    if guess.content == "probabilities":
        return np.asarray(np.round(rng.uniform(0.05, 0.95, size=shape), 2))
    values = np.round(rng.normal(size=shape) * (0.5 if small else 1.0), 2)
    return np.asarray(np.abs(values) + 0.1 if guess.content == "positive" else values)


def one_hot(shape: tuple[int, ...], axis: int, rng: np.random.Generator) -> Array:
    """Return labels of which one along an axis is 1 (where the axis has one entry only: 0 or 1)."""
    if not shape or shape[axis] == 1:
        return np.asarray(rng.integers(0, 2, size=shape).astype(float))
    moved = np.zeros((*shape[: axis % len(shape)], *shape[axis % len(shape) + 1 :], shape[axis]))
    rows = moved.reshape(-1, shape[axis])
    rows[np.arange(len(rows)), rng.integers(0, shape[axis], size=len(rows))] = 1.0
    return np.moveaxis(moved, -1, axis)
