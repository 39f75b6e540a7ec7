"""What the text of a function says: what it returns, how many axes its arguments have, what they are used for."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from types import FunctionType
from typing import Any, Literal

from gradcheck.adapters.calls import words
from gradcheck.compiled import uncompiled
from gradcheck.syntax import tree

Kind = Literal["several", "dict", "one", "unknown"]
DEPTH = 4
TINY = 1e-3
REDUCES = ("sum", "mean", "norm", "len", "float", "trace", "average")


@dataclass(frozen=True)
class Element:
    """One thing that is returned: its name ("" where it has none), and what its text looks like.

    `is_number`: sums, means and squares of vectors; `is_product`: of a transposed array, and no step away from weights.
    """

    name: str = ""
    is_dict: bool = False
    is_tuple: bool = False
    mentions: frozenset[str] = frozenset()
    is_number: bool = False
    is_product: bool = False


@dataclass(frozen=True)
class Returned:
    """What one `return` hands back: several elements, a dict, one value, or the unknown answer of another call."""

    kind: Kind
    elements: tuple[Element, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The elements' names."""
        return tuple(one.name for one in self.elements)


@dataclass
class Facts:
    """What is known of a function from its text.

    `axes`: how many an argument has (`least`: at least); `dims` what it calls them. `indexes`: arguments that index
    something; `mapped`: that are indexed by texts; `called`: that are called; `signs`, `binary`, `weighted`: labels
    that are used as −1/1, as 0/1, or as weights of logarithms; `kept_inside`: arguments that are clipped to ε … 1 − ε,
    `kept_above`: to ε and more. `options`: texts and numbers that arguments (or entries
    of dicts) are compared with. `unpacked`: into how many parts an argument is taken apart. `reads`: names of globals;
    `calls`: of what is called; `subtracts`: pairs (a, b) in a − b. `along_axes`: it is written for rows; `stacks`: it
    returns an array of several, written one after the other.
    """

    returns: tuple[Returned, ...] = ()
    axes: dict[str, int] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)
    dims: dict[str, tuple[str, ...]] = field(default_factory=dict)
    indexes: set[str] = field(default_factory=set)
    mapped: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    signs: set[str] = field(default_factory=set)
    binary: set[str] = field(default_factory=set)
    weighted: set[str] = field(default_factory=set)
    kept_inside: set[str] = field(default_factory=set)
    kept_above: set[str] = field(default_factory=set)
    options: dict[str, list[Any]] = field(default_factory=dict)
    unpacked: dict[str, int] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    subtracts: set[tuple[str, str]] = field(default_factory=set)
    along_axes: bool = False
    stacks: bool = False
    doc: str = ""

    def last(self) -> Returned | None:
        """The last return, which is the full one where others leave early."""
        several = [one for one in self.returns if one.kind in ("several", "dict")]
        return several[-1] if several else self.returns[-1] if self.returns else None


@lru_cache(maxsize=4096)
def facts(function: Callable[..., Any]) -> Facts:
    """Return what the text of a function says; nothing where there is no text."""
    return _facts(uncompiled(function), 0)


@lru_cache(maxsize=4096)
def _facts(function: Callable[..., Any], depth: int) -> Facts:
    found = Facts(doc=inspect.getdoc(function) or "")
    plain = getattr(function, "__func__", function)
    node = tree(plain)
    if node is not None and isinstance(plain, FunctionType):
        _Reader(plain, node, found, depth, getattr(function, "__self__", None)).read()
    return found


class _Reader:
    """Reads one function into its facts."""

    def __init__(
        self, function: FunctionType, node: ast.FunctionDef | ast.Lambda, found: Facts, depth: int, owner: Any
    ) -> None:
        self.function, self.found, self.depth, self.owner = function, found, depth, owner
        self.body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        self.is_lambda = isinstance(node, ast.Lambda)
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        self.parameters = {one.arg for one in arguments}
        self.assigned: dict[str, int] = {}
        self.values: dict[str, ast.expr] = {}
        self.of_entries: dict[str, str] = {}
        self.taken_from: dict[str, str] = {}
        self.texts: set[str] = set()

    def read(self) -> None:
        nodes = [node for one in self.body for node in _inside(one)]
        for node in nodes:
            self._assignment(node)
            if isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.target, ast.Name):
                self.texts |= {node.target.id} if _are_texts(node.iter) else set()
        if self.is_lambda:
            self.found.returns = (self._returned(self.body[0]),)  # type: ignore[arg-type]
        else:
            handed = [node.value for node in nodes if isinstance(node, ast.Return) and node.value is not None]
            self.found.returns = tuple(self._returned(value) for value in handed)
            self.found.stacks = any(map(_is_stack, handed))
        for node in nodes:
            self._use(node)
        self._parts(nodes)
        self._closed_over()

    def _closed_over(self) -> None:
        """What functions inside of this one say of its arguments: `X.T @ r` is of a matrix."""
        inner = [node for one in self.body for node in ast.walk(one) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
        for node in (node for one in inner for node in ast.walk(one)):
            if isinstance(node, ast.Attribute) and node.attr == "T" and (name := self._is_argument(node.value)):
                self._at_least(name, 2)

    def _parts(self, nodes: list[ast.AST]) -> None:
        """Arguments of which nothing but single parts is used, each by its number: `p[0] * np.exp(-p[1] * t)`."""
        used = [node for node in nodes if isinstance(node, ast.Subscript) and self._is_argument(node.value)]
        deeper = {id(node.value) for node in nodes if isinstance(node, ast.Subscript)}
        loads = [name for node in nodes if (name := self._is_argument(node))]
        for name in {self._is_argument(one.value) for one in used}:
            numbers = [
                one.slice.value
                for one in used
                if self._is_argument(one.value) == name
                and isinstance(one.slice, ast.Constant)
                and type(one.slice.value) is int
                and id(one) not in deeper
            ]
            if len(numbers) == loads.count(name) and len({*numbers}) == max(numbers, default=0) + 1 > 1:
                self.found.unpacked.setdefault(name, len({*numbers}))

    def _assignment(self, node: ast.AST) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            names = [one for one in ast.walk(target) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
            for assigned in names:
                self.assigned.setdefault(assigned.id, node.lineno)  # type: ignore[attr-defined]
            if isinstance(target, ast.Name):
                value = node.value  # type: ignore[attr-defined]
                self.values.setdefault(target.id, value)
                if (
                    isinstance(value, ast.Subscript)
                    and (name := self._is_argument(value.value))
                    and not _is_text(value.slice)
                ):
                    self.taken_from[target.id] = name
                key = _key(node.value)  # type: ignore[attr-defined]
                if key:
                    self.of_entries[target.id] = key

    def _returned(self, value: ast.expr, deep: int = 0) -> Returned:
        if isinstance(value, (ast.Tuple, ast.List)):
            return Returned("several", tuple(self._element(one) for one in value.elts))
        if isinstance(value, ast.Dict):
            return Returned("dict", tuple(Element(_text(key)) for key in value.keys))
        if isinstance(value, ast.IfExp):
            return self._returned(value.body, deep)
        if isinstance(value, ast.Name) and value.id in self.values and deep < 2:
            kept = self._returned(self.values[value.id], deep + 1)
            if kept.kind in ("several", "dict"):
                return kept
        if isinstance(value, ast.Call) and not _is_numpy(value.func):
            return Returned("unknown", (self._element(value),))
        return Returned("one", (self._element(value),))

    def _element(self, value: ast.expr) -> Element:
        name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else ""
        kept = self.values.get(name)
        made = kept if kept is not None else value
        is_dict = isinstance(made, ast.Dict) or (
            isinstance(made, ast.Call) and _called(made.func) in ("dict", "OrderedDict")
        )
        if not name and isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Div, ast.Mult)):
            scaled = [one.id for one in (value.left, value.right) if isinstance(one, ast.Name)]
            name = next((one for one in scaled if words.is_gradient_name(one)), "")  # `dW / N`
        mentioned = frozenset(one.id for one in ast.walk(value) if isinstance(one, ast.Name))
        is_tuple = isinstance(value, (ast.Tuple, ast.List))
        return Element(name, is_dict, is_tuple, mentioned, is_number(made), is_product(made))

    def _is_argument(self, node: ast.AST) -> str:
        """The name of an argument that a node is, before it is assigned anew."""
        if not isinstance(node, ast.Name) or node.id not in self.parameters:
            return ""
        return node.id if node.lineno <= self.assigned.get(node.id, 10**9) else ""

    def _use(self, node: ast.AST) -> None:
        found = self.found
        if isinstance(node, ast.Assign):
            self._unpacking(node)
        elif isinstance(node, ast.Subscript):
            self._subscript(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, ast.Compare):
            self._comparison(node)
        elif isinstance(node, ast.BinOp):
            self._arithmetic(node)
        elif isinstance(node, ast.For) and (name := self._is_argument(node.iter)):
            found.unpacked.setdefault(name, 0)
        if (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and node.id not in self.parameters
            and node.id not in self.assigned
            and not hasattr(builtins, node.id)
        ):
            found.reads.add(node.id)

    def _unpacking(self, node: ast.Assign) -> None:
        [target, *_] = node.targets
        if not isinstance(target, (ast.Tuple, ast.List)):
            return
        count = len(target.elts)
        starred = any(isinstance(one, ast.Starred) for one in target.elts)
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            if (name := self._is_argument(node.value.value)) and not starred:
                self.found.axes[name] = count
                self.found.dims[name] = tuple(one.id if isinstance(one, ast.Name) else "" for one in target.elts)
        elif (name := self._is_argument(node.value)) and not starred:
            self.found.unpacked[name] = count

    def _subscript(self, node: ast.Subscript) -> None:
        found = self.found
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name := self._is_argument(node.value):
            if _is_text(node.slice) or (isinstance(node.slice, ast.Name) and node.slice.id in self.texts):
                found.mapped.add(name)
            elif not any(isinstance(one, ast.Constant) and one.value is Ellipsis for one in parts):
                new = sum(isinstance(one, ast.Constant) and one.value is None for one in parts)
                new += sum(isinstance(one, ast.Attribute) and one.attr == "newaxis" for one in parts)
                self._at_least(name, len(parts) - new)
        if (
            isinstance(node.value, ast.Attribute)
            and node.value.attr == "shape"
            and (name := self._is_argument(node.value.value))
            and isinstance(node.slice, ast.Constant)
            and isinstance(at := node.slice.value, int)
        ):
            self._at_least(name, at + 1 if at >= 0 else -at)
        if _called(node.value) in ("c_", "r_"):  # which stack, and look like an index
            return
        for part in parts:
            if (
                name := self._is_argument(part)
                or (self.taken_from.get(part.id, "") if isinstance(part, ast.Name) else "")
            ) or (
                isinstance(part, ast.Subscript) and (name := self._is_argument(part.value)) and not _is_text(part.slice)
            ):
                found.indexes.add(name)

    def _at_least(self, name: str, axes: int) -> None:
        self.found.least[name] = max(axes, self.found.least.get(name, 0))

    def _call(self, node: ast.Call) -> None:
        found = self.found
        if name := self._is_argument(node.func):
            found.called.add(name)
        if isinstance(node.func, ast.Attribute) and (name := self._is_argument(node.func.value)):
            if node.func.attr in ("get", "items", "keys", "values", "setdefault", "pop"):
                found.mapped.add(name)
            if node.func.attr == "transpose" and len(node.args) > 1:
                found.axes[name] = len(node.args)
            axes = next((one.value for one in node.keywords if one.arg == "axis"), None)
            if isinstance(axes, ast.Tuple):
                found.least[name] = max(len(axes.elts), found.least.get(name, 0))
        found.along_axes |= any(one.arg in ("axis", "keepdims") for one in node.keywords)
        called = _called(node.func)
        found.calls.add(called)
        self._bounds(node, called)
        if called in ("exp", "log1p", "logaddexp", "maximum", "expit", "sigmoid"):
            named = [one.id for value in node.args for one in ast.walk(value) if isinstance(one, ast.Name)]
            whole = [*node.args, *(self.values[name] for name in named if name in self.values)]
            products = [one for value in whole for one in ast.walk(value) if isinstance(one, ast.BinOp)]
            for one in products:
                self._signed(one)
        if isinstance(node.func, ast.Name):
            self._pass_on(node, self.function.__globals__.get(node.func.id))
        elif isinstance(node.func, ast.Attribute) and self._is_owner(node.func.value):
            self._pass_on(node, getattr(self.owner, node.func.attr, None))

    def _bounds(self, node: ast.Call, called: str) -> None:
        """`np.clip(p, eps, 1 - eps)`, `p.clip(eps, 1 - eps)`, `np.maximum(p, 1e-12)`: what it is for is in there."""
        if called not in ("clip", "maximum"):
            return
        of_array = isinstance(node.func, ast.Attribute) and _called(node.func.value) not in ("np", "numpy")
        whole = [*([node.func.value] if isinstance(node.func, ast.Attribute) and of_array else []), *node.args]
        whole += [one.value for one in node.keywords if one.arg in ("a_min", "a_max", "min", "max")]
        if len(whole) < 2 or not (name := self._is_argument(whole[0])):
            return
        if not _is_tiny(whole[1]):
            return
        upper = whole[2] if called == "clip" and len(whole) > 2 else None
        if isinstance(upper, ast.BinOp) and isinstance(upper.op, ast.Sub) and _is_one(upper.left):
            self.found.kept_inside.add(name)
        elif upper is None or (isinstance(upper, ast.Constant) and upper.value is None):
            self.found.kept_above.add(name)

    def _is_owner(self, node: ast.AST) -> bool:
        return self.owner is not None and isinstance(node, ast.Name) and node.id in ("self", "cls")

    def _pass_on(self, node: ast.Call, other: Any) -> None:
        """What a function of the same module, or a method of the same object, says of what is handed on to it."""
        plain = uncompiled(getattr(other, "__func__", other))
        if not isinstance(plain, FunctionType) or plain is self.function or self.depth >= DEPTH:
            return
        names = list(inspect.signature(other).parameters)
        pairs = [(name, value) for name, value in zip(names, node.args, strict=False)]
        pairs += [(one.arg, one.value) for one in node.keywords if one.arg]
        handed = [(name, argument) for name, value in pairs if (argument := self._is_argument(value))]
        if not handed:
            return
        inner = _facts(uncompiled(other), self.depth + 1)  # one level deeper: functions may call each other in a circle
        for name, argument in handed:
            self._adopt(inner, name, argument)

    def _adopt(self, inner: Facts, name: str, argument: str) -> None:
        found = self.found
        found.along_axes |= inner.along_axes
        if name in inner.axes:
            found.axes.setdefault(argument, inner.axes[name])
            found.dims.setdefault(argument, inner.dims.get(name, ()))
        if name in inner.least:
            self._at_least(argument, inner.least[name])
        for mine, theirs in (
            (found.indexes, inner.indexes),
            (found.mapped, inner.mapped),
            (found.called, inner.called),
            (found.signs, inner.signs),
            (found.binary, inner.binary),
            (found.weighted, inner.weighted),
            (found.kept_inside, inner.kept_inside),
            (found.kept_above, inner.kept_above),
        ):
            if name in theirs:
                mine.add(argument)
        found.options.setdefault(argument, []).extend(inner.options.get(name, []))
        if name in inner.mapped:  # its entries are compared there
            for key, values in inner.options.items():
                found.options.setdefault(key, []).extend(values)

    def _comparison(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        constants = [one.value for side in sides for one in _constants(side)]
        for side in sides:
            name = self._is_argument(side) or _key(side)
            if isinstance(side, ast.Name) and not name:
                name = self.of_entries.get(side.id, "")
            if name:
                self.found.options.setdefault(name, []).extend(constants)
        if any(isinstance(one, ast.UnaryOp) and isinstance(one.op, ast.USub) for one in sides) and 1 in _negated(sides):
            self.found.signs |= {name for side in sides if (name := self._is_argument(side))}

    def _arithmetic(self, node: ast.BinOp) -> None:
        left, right = node.left, node.right
        if isinstance(node.op, ast.Sub):
            if isinstance(left, ast.Constant) and left.value in (1, 1.0) and (name := self._is_argument(right)):
                self.found.binary.add(name)
            mentioned = [one.id for one in ast.walk(right) if isinstance(one, ast.Name)]
            if isinstance(left, ast.Name):
                self.found.subtracts |= {(left.id, name) for name in mentioned if name in self.parameters}
            if isinstance(left, ast.Constant) and left.value in (1, 1.0):
                self._signed(right)
        elif isinstance(node.op, ast.Add):
            for one, other in ((left, right), (right, left)):
                if isinstance(one, ast.Constant) and one.value in (1, 1.0) and (name := self._is_argument(other)):
                    self.found.signs.add(name)
        elif isinstance(node.op, (ast.Mult, ast.MatMult)):
            for one, other in ((left, right), (right, left)):
                inner = one.operand if isinstance(one, ast.UnaryOp) else one
                inner = inner.value if isinstance(inner, ast.Attribute) and inner.attr == "T" else inner
                if (name := self._is_argument(inner)) and any(map(_is_logarithm, ast.walk(other))):
                    self.found.weighted.add(name)

    def _signed(self, value: ast.expr) -> None:
        """`1 - y * f`: a margin, for labels of −1 and 1."""
        if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Mult, ast.MatMult)):
            for side in (value.left, value.right):
                if name := self._is_argument(side.operand if isinstance(side, ast.UnaryOp) else side):
                    self.found.signs.add(name)


def _is_one(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in (1, 1.0)


def _is_tiny(node: ast.AST) -> bool:
    """`eps`, `self.eps`, `1e-12`."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and 0 < node.value <= TINY
    return _called(node).lower().strip("_") in ("eps", "epsilon")


def _is_logarithm(node: ast.AST) -> bool:
    """`np.log(p)`, `log_softmax(z)`; no softplus, which binary labels and signs are weighted with."""
    name = _called(node.func) if isinstance(node, ast.Call) else ""
    return name.startswith("log") and name != "logaddexp"


def is_number(node: ast.AST) -> bool:
    """Whether an expression is one number: a sum, a mean, a norm, `r @ r`, and what is computed of these."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    if isinstance(node, ast.Call):
        along = any(one.arg in ("axis", "keepdims") for one in node.keywords)
        return not along and (_called(node.func) in REDUCES or _is_square(node))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return _is_square(node)
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        return all(_may_be_number(one) or is_number(one) for one in sides) and any(map(is_number, sides))
    return False


def _may_be_number(node: ast.AST) -> bool:
    """Whether an expression is of names and constants alone, which may all be numbers."""
    if isinstance(node, ast.BinOp):
        return not isinstance(node.op, ast.MatMult) and _may_be_number(node.left) and _may_be_number(node.right)
    return isinstance(node, (ast.Name, ast.Constant))


def _is_square(node: ast.AST) -> bool:
    """`r @ r`, `0.5 * r.T @ r`, `r.dot(r)`."""
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
    elif isinstance(node, ast.Call) and _called(node.func) in ("dot", "vdot", "inner") and node.args:
        first = node.func.value if len(node.args) == 1 and isinstance(node.func, ast.Attribute) else node.args[0]
        sides = (first, node.args[-1])
    else:
        return False
    ends = [{one.id for one in ast.walk(side) if isinstance(one, ast.Name)} for side in sides]
    return len(ends[1]) == 1 and ends[1] <= ends[0]


def is_product(node: ast.AST) -> bool:
    """`X.T @ r + lam * w`, but not `w - rate * X.T @ r`."""
    steps = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Name)
    turned = (isinstance(one, ast.Attribute) and one.attr in ("T", "transpose") for one in ast.walk(node))
    return not steps and any(turned)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, but for functions inside of it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            yield from _inside(child)


def _constants(node: ast.AST) -> list[ast.Constant]:
    inside = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    return [one for one in inside if isinstance(one, ast.Constant) and isinstance(one.value, (str, int, float))]


def _negated(nodes: list[ast.expr]) -> list[Any]:
    return [
        one.operand.value for one in nodes if isinstance(one, ast.UnaryOp) and isinstance(one.operand, ast.Constant)
    ]


def _is_text(node: ast.AST) -> bool:
    """Whether a key is a text: `"W1"`, `f"W{l}"`, `"W" + str(l)`."""
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    if isinstance(node, ast.Call):
        return _called(node.func) == "str" or (isinstance(node.func, ast.Attribute) and _is_text(node.func.value))
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_stack(node: ast.AST) -> bool:
    """`np.array([a, b])`."""
    listed = node.args[0] if isinstance(node, ast.Call) and node.args else None
    is_array = isinstance(node, ast.Call) and _called(node.func) in ("array", "asarray", "stack", "hstack")
    return is_array and isinstance(listed, (ast.List, ast.Tuple)) and len(listed.elts) > 1


def _are_texts(node: ast.AST) -> bool:
    """`("W1", "b1")`: a sequence of texts, written out."""
    return isinstance(node, (ast.Tuple, ast.List)) and bool(node.elts) and all(map(_is_text, node.elts))


def _key(node: ast.AST) -> str:
    """The key in `d["key"]` or `d.get("key", …)`, "" elsewhere."""
    if isinstance(node, ast.Subscript):
        return _text(node.slice)
    if isinstance(node, ast.Call) and _called(node.func) == "get" and node.args:
        return _text(node.args[0])
    return ""


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _called(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_numpy(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute)


SHAPE = re.compile(r"\(([^()]*)\)")


def shape_in_docstring(doc: str, name: str) -> tuple[str, ...]:
    """Return the axes that a docstring gives an argument, in its own letters; () where it says none.

    >>> shape_in_docstring("- x: Input data, of shape (N, D)\\n- b -- numpy array of shape (n_a, 1)", "b")
    ('n_a', '1')
    >>> shape_in_docstring("Mean loss of data X (n, d) with labels y (n,).", "y")
    ('n',)
    """
    pattern = re.compile(rf"^[\s\-*:param`]*\b{re.escape(name)}\b`?\s*(?::|--|-|–|—|=)\s*(.*)$", re.MULTILINE)
    for found in pattern.finditer(doc):
        text = found.group(1)
        after = text.partition("shape")[2] or text
        inside = SHAPE.search(after)
        if inside is None:
            continue
        if "..." in inside.group(1):
            return ()
        parts = [part.strip() for part in inside.group(1).replace("×", ",").split(",") if part.strip()]
        if parts and (len(parts) > 1 or inside.group(1).strip().endswith(",")) and len(parts) <= 5:
            return tuple(parts)
    in_prose = re.search(rf"(?<![\w.(]){re.escape(name)} \((\w+(?:, \w+)*,?)\)", doc)
    if in_prose is not None and "," in in_prose.group(1):
        return tuple(part.strip() for part in in_prose.group(1).split(",") if part.strip())
    return ()
