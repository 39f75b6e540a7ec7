"""Single mistakes, planted into right source by machine: what slips in when derivatives are written by hand.

Each plant replaces the text between two places of a function. Those of the kinds that a repair can undo by one edit are
`single`; the others, which are planted as well, it cannot, or only by luck. Nothing here is shared with the edits that
`gradcheck.repair` tries.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PLAIN = (ast.Name, ast.Attribute, ast.Constant)
FUNCTIONS = {
    "sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh", "exp": "log", "log": "exp", "zeros_like": "ones_like",
    "ones_like": "zeros_like", "zeros": "ones", "ones": "zeros", "maximum": "minimum", "minimum": "maximum",
    "max": "min", "min": "max", "argmax": "argmin", "argmin": "argmax",
}  # fmt: skip
OPERATORS = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
COMPARISONS = {ast.Gt: ("<", ">="), ast.GtE: ("<", ">"), ast.Lt: (">", "<="), ast.LtE: (">", "<"), ast.Eq: ("!=",)}
SIGNS = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "=="}


@dataclass(frozen=True)
class Plant:
    """One mistake: what stands between two places of the file becomes another text."""

    kind: str
    start: int
    end: int
    text: str
    single: bool = True


class Planter:
    """Lists the mistakes that can be planted into one function.

    `span(node)` is where a node stands in the file's `text`; `loops` are taken as they come.
    """

    def __init__(self, text: str, function: ast.FunctionDef | ast.Lambda, span: object) -> None:
        self.text = text
        self.function = function
        self.span = span
        self.parents = {child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)}
        self.names = sorted({one.id for one in ast.walk(function) if isinstance(one, ast.Name)})

    def source(self, node: ast.AST) -> str:
        """The source of a node."""
        start, end = self.span(node)  # type: ignore[operator]
        return self.text[start:end]

    def put(self, kind: str, node: ast.AST, text: str, single: bool = True) -> Plant:
        """A plant in the place of a node."""
        return Plant(kind, *self.span(node), text, single)  # type: ignore[operator]

    def all(self, nodes: Sequence[ast.AST]) -> list[Plant]:
        """Every plant at these nodes."""
        return [plant for node in nodes for plant in self.plants(node)]

    def plants(self, node: ast.AST) -> Iterator[Plant]:
        """Every plant at one node."""
        for kind in (
            self._binary, self._signs, self._constants, self._transposes, self._axes, self._names, self._functions,
            self._comparisons, self._statements, self._indices, self._extra, self._wider,
        ):  # fmt: skip
            yield from kind(node)

    def _binary(self, node: ast.AST) -> Iterator[Plant]:
        if not isinstance(node, ast.BinOp):
            return
        left, right = self.source(node.left), self.source(node.right)
        if type(node.op) in OPERATORS:
            yield self.put("operator", node, f"(({left}) {OPERATORS[type(node.op)]} ({right}))")
        if isinstance(node.op, (ast.MatMult, ast.Sub)):
            yield self.put(
                "operand order", node, f"(({right}) {'@' if isinstance(node.op, ast.MatMult) else '-'} ({left}))"
            )
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            yield self.put("power", node, f"(({left}) ** {node.right.value + 1})")
            yield self.put("power", node, f"({left})")
        if isinstance(node.op, (ast.Mult, ast.Div)):
            yield self.put("factor missing", node, f"({left})", _is_simple(node.right))
            if isinstance(node.op, ast.Mult):
                yield self.put("factor missing", node, f"({right})", _is_simple(node.left))
        if isinstance(node.op, (ast.Add, ast.Sub)):
            small = isinstance(node.right, ast.Constant) or "eps" in right
            yield self.put("ε missing" if small else "term missing", node, f"({left})", small)

    def _signs(self, node: ast.AST) -> Iterator[Plant]:
        if (
            isinstance(node, ast.UnaryOp)
            and isinstance(node.op, ast.USub)
            and not isinstance(node.operand, ast.Constant)
        ):
            yield self.put("sign", node, f"({self.source(node.operand)})")
        parent = self.parents.get(node)
        counted = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr))
        held = isinstance(parent, (ast.Return, ast.Assign, ast.List, ast.BinOp))
        if isinstance(node, (ast.BinOp, ast.Call)) and held and not counted:
            yield self.put("sign", node, f"(-({self.source(node)}))")

    def _constants(self, node: ast.AST) -> Iterator[Plant]:
        if not isinstance(node, ast.Constant) or isinstance(node.value, (bool, str, bytes)) or node.value is None:
            return
        if not isinstance(node.value, (int, float)) or self._counts(node):
            return
        small = node.value in (0, 1, 2, 3, 4, 0.5)
        for other in (2 * node.value, node.value / 2, node.value + 1):
            if other != node.value:
                yield self.put("constant", node, f"({other!r})", small)
        if node.value:
            yield self.put("constant off", node, f"({node.value * 1.1!r})", small)

    def _counts(self, node: ast.AST) -> bool:
        parent = self.parents.get(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, (ast.Subscript, ast.keyword, ast.Slice)):
                return True
            if isinstance(parent, ast.Call) and self.source(parent.func).endswith(("range", "reshape", "zeros", "eye")):
                return True
            parent = self.parents.get(parent)
        return False

    def _transposes(self, node: ast.AST) -> Iterator[Plant]:
        parent = self.parents.get(node)
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield self.put("transpose", node, self.source(node.value))
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(getattr(parent, "op", None), ast.MatMult):
            yield self.put("transpose", node, f"{self.source(node)}.T")

    def _axes(self, node: ast.AST) -> Iterator[Plant]:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return
        name = node.func.attr
        if name not in ("sum", "mean"):
            return
        _, end = self.span(node.func)  # type: ignore[operator]
        yield Plant("sum and mean", end - len(name), end, "mean" if name == "sum" else "sum")
        of_numpy = self.source(node.func.value) == "np"
        inner = self.source(node.args[0]) if of_numpy and node.args else self.source(node.func.value)
        yield self.put("sum missing", node, f"({inner})")
        for keyword in node.keywords:
            if keyword.arg == "axis":
                yield from (
                    self.put("axis", keyword.value, other)
                    for other in ("0", "1", "-1", "None")
                    if other != self.source(keyword.value)
                )
            if keyword.arg == "keepdims":
                yield self.put("keepdims", keyword.value, "False")

    def _names(self, node: ast.AST) -> Iterator[Plant]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in self._locals:
            yield from (self.put("name", node, other) for other in self._locals if other != node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and self.source(node) in self._attributes:
            others = [one for one in self._attributes if one != self.source(node)]
            yield from (self.put("attribute", node, other) for other in others)

    @property
    def _locals(self) -> list[str]:
        stored = {
            one.id for one in ast.walk(self.function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        }
        arguments = {one.arg for one in ast.walk(self.function.args) if isinstance(one, ast.arg)}
        return sorted((stored | arguments) - {"self", "cls"})

    @property
    def _attributes(self) -> list[str]:
        return sorted(
            {
                self.source(one)
                for one in ast.walk(self.function)
                if isinstance(one, ast.Attribute)
                and isinstance(one.value, ast.Name)
                and one.value.id == "self"
                and isinstance(one.ctx, ast.Load)
                and not isinstance(self.parents.get(one), ast.Call)
            }
        )

    def _functions(self, node: ast.AST) -> Iterator[Plant]:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FUNCTIONS:
            _, end = self.span(node.func)  # type: ignore[operator]
            yield Plant("function", end - len(node.func.attr), end, FUNCTIONS[node.func.attr])

    def _comparisons(self, node: ast.AST) -> Iterator[Plant]:
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = self.source(node.left), self.source(node.comparators[0])
            for other in COMPARISONS.get(type(node.ops[0]), ()):
                yield self.put("comparison", node, f"(({left}) {other} ({right}))")
            if isinstance(node.comparators[0], ast.Constant) and node.comparators[0].value == 0:
                yield self.put("compared with", node.comparators[0], "1")

    def _statements(self, node: ast.AST) -> Iterator[Plant]:
        parent = self.parents.get(node)
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            yield self.put("overwritten", node, f"{self.source(node.target)} = {self.source(node.value)}")
        if (
            isinstance(node, ast.Expr)
            and self.source(node).startswith("np.add.at(")
            and isinstance(node.value, ast.Call)
        ):
            target, index, value = map(self.source, node.value.args)
            yield self.put("duplicates", node, f"{target}[{index}] += {value}")
        if isinstance(node, ast.Return) and isinstance(parent, (ast.FunctionDef)) and parent.body[-1] is node:
            before = parent.body[-2] if len(parent.body) > 1 else None
            start, end = self.span(node)  # type: ignore[operator]
            if isinstance(before, ast.For):
                yield Plant("return in the loop", start, end, f"    {self.source(node)}")
        if isinstance(node, ast.For):
            _, end = self.span(node)  # type: ignore[operator]
            column = node.body[-1].col_offset
            yield Plant("early break", end, end, f"\n{' ' * column}break")
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) and not isinstance(
            getattr(node, "value", None), ast.Constant
        ):
            yield self.put("statement missing", node, "pass", False)

    def _indices(self, node: ast.AST) -> Iterator[Plant]:
        if isinstance(node, ast.Slice) and node.lower is None and node.upper is None and node.step is None:
            yield self.put("last element", node, ":-1")
        if isinstance(node, ast.Slice) and node.upper is None and node.lower is not None:
            yield self.put("slice", node, ":")
        if isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Name, ast.BinOp)):
            yield self.put("index", node.slice, f"{self.source(node.slice)} - 1")

    def _extra(self, node: ast.AST) -> Iterator[Plant]:
        """A factor, a sum or a transpose too many."""
        parent = self.parents.get(node)
        if not isinstance(node, (ast.BinOp, ast.Call, ast.Name)) or not isinstance(parent, (ast.Return, ast.Assign)):
            return
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            return
        inner = f"({self.source(node)})"
        for factor in (
            *[f"len({name})" for name in self._locals[:2]],
            *[f"{name}.size" for name in self._locals[:2]],
            "2",
        ):
            yield self.put("factor too many", node, f"{inner} * {factor}")
            yield self.put("factor too many", node, f"{inner} / {factor}")
        yield self.put("mean too many", node, f"{inner}.mean(axis=0)")
        yield self.put("sum too many", node, f"{inner}.sum(axis=0, keepdims=True)")

    def _wider(self, node: ast.AST) -> Iterator[Plant]:
        """What no single edit of the known kinds undoes, or which only one of many does."""
        parent = self.parents.get(node)
        if not isinstance(node, (ast.BinOp, ast.Call)) or not isinstance(
            parent, (ast.Return, ast.Assign, ast.AugAssign)
        ):
            return
        inner = f"({self.source(node)})"
        for text in (
            f"np.abs({inner})",
            f"np.clip({inner}, -1, 1)",
            f"{inner} * 0",
            f"{inner}[::-1]",
            f"{inner} ** 2",
            f"1.0*{inner}+0.01",
            f"np.round({inner}, 2)",
            f"np.where({inner} > 0.5, 0, {inner})",
            f"np.sort({inner}, axis=None).reshape(np.shape({inner}))",
        ):
            yield self.put("wider", node, text, False)


def _is_simple(node: ast.expr) -> bool:
    """Whether a factor can be written from a name: the name, 1 − it, a root, a size, a small number."""
    if isinstance(node, ast.Constant):
        return node.value in (2, 3, 4, 0.5)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return True
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, (ast.Name, ast.Attribute)) and isinstance(node.slice, ast.Constant)
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in ("len", "np.sqrt", "np.prod") and all(map(_is_simple, node.args))
    if isinstance(node, ast.Compare):
        return isinstance(node.comparators[0], ast.Constant) and isinstance(node.left, (ast.Name, ast.Attribute))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        return (
            isinstance(node.left, ast.Constant)
            and node.left.value == 1
            and isinstance(node.right, (ast.Name, ast.Attribute))
        )
    return False
