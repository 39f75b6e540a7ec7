"""Systematic mutants of Python source, by its syntax tree: every small slip of the kinds that derivatives suffer from.

`mutants(module, source, wanted)` lists them for the functions whose name is `wanted`; `apply` makes one into a
code tree. A change is left out where it is none (a constant that is already so), in messages and in the checks
that only raise: those are about arguments, not derivatives.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[tuple[str, int | None], ...]

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
FUNCTIONS = {
    "sum": "mean",
    "mean": "sum",
    "equal": "not_equal",
    "greater_equal": "greater",
    "less_equal": "less",
    "greater": "greater_equal",
    "less": "less_equal",
    "maximum": "minimum",
    "minimum": "maximum",
    "zeros": "ones",
    "ones": "zeros",
    "eye": "ones",
}
SCALES = ((-1.0, "sign"), (0.0, "zero"), (2.0, "factor 2"), (0.5, "factor ½"), (1 + 1e-6, "factor 1 + 1e-6"))
NOT_NUMBERS = {"shape", "ndim", "size", "dtype", "axis", "axes"}


@dataclass(frozen=True)
class Mutant:
    """One change in one function of one module. `index` is its number among the module's."""

    module: str
    function: str
    line: int
    change: str
    before: str
    after: str
    index: int
    path: Path
    node: ast.AST

    @property
    def diff(self) -> str:
        """The statement before and after."""
        return f"- {self.before}\n+ {self.after}"

    @property
    def key(self) -> str:
        """What names it in the list of equivalents: no line numbers, so that it survives edits elsewhere."""
        return f"{self.module}:{self.function} | {self.before} | {self.after}"


def mutants(module: str, source: str, wanted: re.Pattern[str]) -> list[Mutant]:
    """List the mutants of all functions (and methods) whose name `wanted` matches fully."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    seen = set()
    for path, function, name in _functions(tree, (), ""):
        if not wanted.fullmatch(name.rpartition(".")[2]):
            continue
        for at, statement_path, change, node in _in_function(function, path):
            mutated = _replace(tree, at, node)
            before = _text(_at(tree, statement_path))
            after = _text(_at(mutated, statement_path))
            line = getattr(_at(tree, at), "lineno", function.lineno)
            if before == after or (name, line, before, after) in seen:
                continue
            seen.add((name, line, before, after))
            found.append(Mutant(module, name, line, change, before, after, len(found), at, node))
    return found


def apply(source: str, mutant: Mutant) -> ast.Module:
    """Return the syntax tree with the change made, ready to be compiled."""
    tree = _replace(ast.parse(source), mutant.path, mutant.node)
    return ast.fix_missing_locations(tree)


# Walking


def _functions(node: Any, path: Path, name: str) -> Iterator[tuple[Path, ast.FunctionDef, str]]:
    for k, child in enumerate(node.body):
        here = (*path, ("body", k))
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, here, f"{name}{child.name}.")
        elif isinstance(child, ast.FunctionDef):
            yield here, child, name + child.name


def _in_function(function: ast.FunctionDef, path: Path) -> Iterator[tuple[Path, Path, str, ast.AST]]:
    """Yield where, in which statement, what kind, and the new node."""
    for k, statement in enumerate(function.body):
        if k == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # the docstring
        yield from _statement(statement, (*path, ("body", k)), function)


def _statement(node: ast.stmt, path: Path, function: ast.FunctionDef) -> Iterator[tuple[Path, Path, str, ast.AST]]:
    if _only_raises(node):
        return
    if isinstance(node, ast.If):
        for value, kind in ((True, "branch always taken"), (False, "branch dropped")):
            yield (*path, ("test", None)), path, kind, ast.Constant(value)
        for at, change, new in _expression(node.test, (*path, ("test", None)), function):
            yield at, path, change, new
    elif isinstance(node, ast.For):
        for at, change, new in _expression(node.iter, (*path, ("iter", None)), function):
            yield at, path, change, new
    elif isinstance(node, ast.Expr):
        yield path, path, "statement dropped", ast.Pass()
        for at, change, new in _expression(node.value, (*path, ("value", None)), function):
            yield at, path, change, new
    elif isinstance(node, ast.AugAssign):
        if type(node.op) in OPERATORS:
            yield (*path, ("op", None)), path, "operator", OPERATORS[type(node.op)]()
        yield path, path, "statement dropped", ast.Pass()
        overwritten = ast.Assign([copy.deepcopy(node.target)], node.value)
        yield path, path, "overwritten instead of accumulated", overwritten
        for at, change, new in _value(node.value, (*path, ("value", None)), function):
            yield at, path, change, new
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.Return) and node.value is not None:
        if not (isinstance(node, ast.Return) and function.name == "gradient"):
            for at, change, new in _value(node.value, (*path, ("value", None)), function):
                yield at, path, change, new
        else:
            for at, change, new in _expression(node.value, (*path, ("value", None)), function):
                yield at, path, change, new
    for field in ("body", "orelse", "finalbody"):
        for k, child in enumerate(getattr(node, field, [])):
            yield from _statement(child, (*path, (field, k)), function)


def _only_raises(node: ast.stmt) -> bool:
    """Whether a statement only refuses something: a raise, a check that raises, the check that there was a call."""
    if isinstance(node, ast.Raise):
        return True
    if isinstance(node, ast.If | ast.For):
        return all(_only_raises(child) for child in (*node.body, *node.orelse))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func).endswith(("_require_call", "require_unchanged"))
    return isinstance(node, ast.Pass)


def _value(node: ast.expr, path: Path, function: ast.FunctionDef) -> Iterator[tuple[Path, str, ast.AST]]:
    """A value that is assigned or returned: scaled as a whole (each entry of a list), and changed within."""
    if isinstance(node, ast.List | ast.Tuple):
        for k, item in enumerate(node.elts):
            yield from _value(item, (*path, ("elts", k)), function)
        if len(node.elts) > 1:
            swapped = copy.deepcopy(node)
            swapped.elts[0], swapped.elts[1] = swapped.elts[1], swapped.elts[0]
            yield path, "entries swapped", swapped
        return
    if isinstance(node, ast.ListComp):
        yield from _value(node.elt, (*path, ("elt", None)), function)
        yield from _comprehension(node, path, function)
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "as_gradient":
        yield from _value(node.args[0], (*path, ("args", 0)), function)
        return
    if _is_numeric(node):
        for factor, change in SCALES:
            yield path, change, ast.BinOp(copy.deepcopy(node), ast.Mult(), ast.Constant(factor))
    yield from _expression(node, path, function)


def _is_numeric(node: ast.expr) -> bool:
    """Whether an expression is an array or number of the computation (not a shape, a flag or a list)."""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitAnd | ast.BitOr):
        names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
        return bool(names.isdisjoint({"ndim"}))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        return name in {
            "sum", "where", "cos", "sin", "exp", "log", "sqrt", "square", "einsum", "maximum", "standard_normal",
            "uniform", "eye", "take", "broadcast_to", "reshape", "spread", "power", "_by_log", "per_row",
            "sigmoid_slope", "tanh_slope", "by_prediction", "_through", "_truncated_normal", "copy",
        }  # fmt: skip
    return isinstance(node, ast.Name) and node.id in {"g", "v", "gradient", "values"}


def _comprehension(node: ast.ListComp, path: Path, function: ast.FunctionDef) -> Iterator[tuple[Path, str, ast.AST]]:
    for k, generator in enumerate(node.generators):
        here = (*path, ("generators", k))
        yield from _expression(generator.iter, (*here, ("iter", None)), function)
        for n, test in enumerate(generator.ifs):
            yield (*here, ("ifs", n)), "condition dropped", ast.Constant(True)
            yield from _expression(test, (*here, ("ifs", n)), function)


# Changes of one expression


def _expression(
    node: ast.AST, path: Path, function: ast.FunctionDef, counting: bool = False
) -> Iterator[tuple[Path, str, ast.AST]]:
    """Yield the changes of an expression and of everything in it. `counting`: it counts or indexes, it is no number."""
    if isinstance(node, ast.JoinedStr | ast.Lambda):
        return
    number = _number(node)
    if number is not None:
        for change, new in _constant(number, counting):
            yield path, change, new
        return
    counting = counting or _measures(node)
    for change, new in _changes(node, function, counting):
        yield path, change, new
    for field, value in ast.iter_fields(node):
        inner = counting or _counts(node, field)
        if isinstance(value, ast.expr):
            yield from _expression(value, (*path, (field, None)), function, inner)
        elif isinstance(value, list):
            for k, item in enumerate(value):
                if isinstance(item, ast.expr):
                    yield from _expression(item, (*path, (field, k)), function, inner)
                elif isinstance(item, ast.keyword) and item.arg not in ("dtype", "strict", "invalid"):
                    at = (*path, (field, k), ("value", None))
                    for change, new in _keyword(item):
                        yield at, change, new
                    if item.arg not in ("axis", "keepdims"):
                        yield from _expression(item.value, at, function, inner)
                elif isinstance(item, ast.comprehension):
                    here = (*path, (field, k))
                    yield from _expression(item.iter, (*here, ("iter", None)), function, inner)
                    for n, test in enumerate(item.ifs):
                        yield (*here, ("ifs", n)), "condition dropped", ast.Constant(True)
                        yield from _expression(test, (*here, ("ifs", n)), function, inner)


def _counts(node: ast.AST, field: str) -> bool:
    if isinstance(node, ast.Subscript):
        return field == "slice"
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        return field == "args" and name in {"range", "reshape", "eye", "zeros", "split", "swapaxes", "expand_dims"}
    return isinstance(node, ast.Attribute) and node.attr in NOT_NUMBERS


def _changes(node: ast.AST, function: ast.FunctionDef, counting: bool) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield ("sign" if isinstance(node.op, ast.USub) else "negation dropped"), node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARISONS.get(type(node.ops[0]), ()):
            yield "comparison", ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield "and for or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for kept in node.values:
            yield "condition dropped", kept
    elif isinstance(node, ast.IfExp):
        yield "branch dropped", node.body
        yield "branch dropped", node.orelse
    elif isinstance(node, ast.Attribute) and node.attr in ("inputs", "outputs"):
        yield (
            "outputs for inputs",
            ast.Attribute(node.value, {"inputs": "outputs", "outputs": "inputs"}[node.attr], ast.Load()),
        )
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose dropped", node.value
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Name) and function.name.startswith("by"):
        arguments = [a.arg for a in function.args.args if a.arg in ("g", "x", "y", "z")]
        if node.id in arguments:
            yield from (("another argument", ast.Name(name, ast.Load())) for name in arguments if name != node.id)


def _binary(node: ast.BinOp) -> Iterator[tuple[str, ast.AST]]:
    if type(node.op) in OPERATORS:
        yield "operator", ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    yield "operand dropped", node.left
    yield "operand dropped", node.right
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow | ast.Mod):
        yield "operands swapped", ast.BinOp(node.right, node.op, node.left)


def _number(node: ast.AST) -> float | None:
    """Return the value of a number, a negative one included."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _number(node.operand)
        return None if value is None else -value
    return node.value if isinstance(node, ast.Constant) and type(node.value) in (int, float) else None


def _measures(node: ast.AST) -> bool:
    """Whether an expression computes with numbers of axes or entries."""
    if not isinstance(node, ast.BinOp | ast.Compare):
        return False
    parts = list(ast.walk(node))
    lengths = any(isinstance(n, ast.Call) and ast.unparse(n.func) == "len" for n in parts)
    return lengths or any(isinstance(n, ast.Attribute) and n.attr in ("ndim", "shape") for n in parts)


def _constant(value: float, counting: bool) -> Iterator[tuple[str, ast.AST]]:
    # The first of one entry is also its last: where something is counted, 0 becomes 1 only.
    others: list[float] = [0, 1, -1, 2 * value, value / 2, value * (1 + 1e-6)]
    if counting:
        others = [1] if value == 0 else [0, 1, value + 1]
    for other in dict.fromkeys(others):
        if other != value:
            yield "constant", ast.Constant(other)


def _call(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    name = ast.unparse(node.func).rpartition(".")[2]
    if name in FUNCTIONS and isinstance(node.func, ast.Attribute):
        function = ast.Attribute(node.func.value, FUNCTIONS[name], ast.Load())
        yield f"{FUNCTIONS[name]} for {name}", ast.Call(function, node.args, node.keywords)
    if isinstance(node.func, ast.Attribute):
        inner = node.func.value
        if name in ("copy", "swapaxes", "transpose", "squeeze", "reshape") and getattr(inner, "id", "") != "np":
            yield f"{name} dropped", inner
        if name in ("array", "copy") and getattr(inner, "id", "") == "np" and node.args:
            yield "copy dropped", node.args[0]
        if name in ("cos", "sin", "exp", "log", "sqrt", "sign", "square") and len(node.args) == 1:
            yield f"{name} dropped", node.args[0]
        if name == "where" and len(node.args) == 3:
            yield "branch dropped", node.args[1]
            yield "branch dropped", node.args[2]
            yield "branches swapped", ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], node.keywords)
        if name in ("sum", "mean") and node.args == [] and node.keywords:
            yield "sum dropped", inner
        if name == "add" and len(node.args) == 2:
            yield "operand dropped", node.args[1]
        if name in ("multiply", "take", "power") and len(node.args) == 2:
            yield "operand dropped", node.args[0]
            yield "operand dropped", node.args[1]


def _keyword(item: ast.keyword) -> Iterator[tuple[str, ast.AST]]:
    if item.arg == "axis":
        try:
            value = ast.literal_eval(item.value)
        except ValueError:
            value = "computed"
        for other in (None, 0, 1, -1):
            if other != value:
                yield "axis", ast.Constant(other)
    elif item.arg == "keepdims" and isinstance(item.value, ast.Constant):
        yield "keepdims", ast.Constant(not item.value.value)


# Trees


def _at(tree: ast.AST, path: Path) -> Any:
    node: Any = tree
    for field, index in path:
        node = getattr(node, field) if index is None else getattr(node, field)[index]
    return node


def _replace(tree: ast.Module, path: Path, new: ast.AST) -> ast.Module:
    """Return a copy of the tree with one node replaced (the copy is of the function only: the rest is shared)."""
    top = copy.copy(tree)
    top.body = list(tree.body)
    (_, first), *rest = path
    assert first is not None
    top.body[first] = copy.deepcopy(top.body[first])
    node: Any = top.body[first]
    for field, index in rest[:-1]:
        node = getattr(node, field) if index is None else getattr(node, field)[index]
    field, index = rest[-1]
    new = copy.deepcopy(new)
    if index is None:
        setattr(node, field, new)
    else:
        getattr(node, field)[index] = new
    return top


def _text(node: ast.AST) -> str:
    """The source of a statement, without the statements inside it."""
    node = copy.deepcopy(node)
    for field in ("body", "orelse"):
        if isinstance(node, ast.If | ast.For | ast.With) and getattr(node, field, None):
            setattr(node, field, [ast.Expr(ast.Constant(...))])
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
