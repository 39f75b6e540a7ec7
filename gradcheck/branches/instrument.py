"""Functions compiled anew from their source, so that they say which statements ran and what was decided.

Each statement counts itself; what stands in an `if`, `while`, conditional expression or comprehension's `if` tells its
truth; `a < b` and its kin tell their operands, and so do calls that choose by comparing (`np.maximum`, `abs`, `x.clip`,
`argmax`). Results are what they were, operands are evaluated once and in their order, and lines stay where they are, so
that tracebacks are right. Where the source is not to be had, or the code is made otherwise (a lambda among several on a
line, compiled code), a function stays as it is.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import CodeType, FunctionType
from typing import Any

from gradcheck.branches.decisions import Kind, Site
from gradcheck.branches.recompile import Definition, as_statement, compiled

# The name under which instrumented code finds the recorder, among the built-in names.
HOOK = "__gradcheck_branches__"

# Names of functions and methods that choose by comparing; what they are is asked when they are called.
WINNERS = frozenset(("max", "min", "amax", "amin", "argmax", "argmin"))
SELECTIONS = WINNERS | {"maximum", "minimum", "fmax", "fmin", "abs", "absolute", "fabs", "sign", "heaviside", "clip"}
COMPARED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
Body = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Places:
    """Numbers for sites and lines, under which instrumented code calls the recorder."""

    def __init__(self) -> None:
        self.sites: list[Site] = []
        self.constants: list[tuple[float, ...]] = []
        self.lines: list[tuple[str, int]] = []

    def site(self, site: Site, constants: tuple[float, ...] = ()) -> int:
        """The number of a site; `constants`: numbers that its source compares with, where nothing else tells them."""
        self.sites.append(site)
        self.constants.append(constants)
        return len(self.sites) - 1

    def line(self, file: str, line: int) -> int:
        """The number of a statement's line."""
        self.lines.append((file, line))
        return len(self.lines) - 1


def instrument(function: FunctionType, places: Places) -> CodeType | None:
    """Return instrumented code that can take the place of `function.__code__`; None where that cannot be."""
    code = function.__code__
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return None
    try:
        source, first = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(source)))
    except (OSError, TypeError, SyntaxError, ValueError, IndentationError):
        return None
    node = _definition(tree, code)
    if node is None:
        return None
    shift = first - 1
    rewriter = _Rewriter(code.co_filename, shift, places)
    if isinstance(node, ast.Lambda):
        node.body = rewriter.visit(node.body)
    else:
        rewriter.function(node)
    return compiled(as_statement(node), code, shift)


def _definition(tree: ast.Module, code: CodeType) -> Definition | None:
    """The function in its own source; a lambda only where there is one on the line."""
    if tree.body and isinstance(tree.body[0], ast.FunctionDef) and tree.body[0].name == code.co_name:
        return tree.body[0]
    lambdas = [one for one in ast.walk(tree) if isinstance(one, ast.Lambda)]
    return lambdas[0] if code.co_name == "<lambda>" and len(lambdas) == 1 else None


class _Rewriter(ast.NodeTransformer):
    """Puts calls of the recorder around decisions, and in front of statements."""

    def __init__(self, file: str, shift: int, places: Places) -> None:
        self.file = file
        self.shift = shift
        self.places = places
        self.guard = False

    def function(self, node: ast.FunctionDef) -> None:
        """Instrument a definition from inside: its defaults are not run again."""
        node.body = self._block(node.body)

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for number, statement in enumerate(body):
            line = statement.lineno + self.shift
            constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            static = isinstance(statement, (ast.Global, ast.Nonlocal, ast.ImportFrom))
            if not (number == 0 and constant) and not static:
                counted = self._hook("line", self.places.line(self.file, line))
                found.append(ast.copy_location(ast.Expr(counted), statement))
            found.append(self.visit(statement))
        return found

    def visit(self, node: ast.AST) -> Any:
        """Statements' blocks one by one, everything else by its kind."""
        if isinstance(node, (ast.ClassDef, ast.AsyncFunctionDef)):
            return node
        if isinstance(node, ast.FunctionDef):
            self.function(node)
            return node
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                setattr(node, name, self._block(block))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            part.body = self._block(part.body)
        guard, self.guard = self.guard, self.guard or (isinstance(node, ast.If) and _raises(node.body))
        for name, value in ast.iter_fields(node):
            if name in ("body", "orelse", "finalbody", "handlers", "cases") and isinstance(value, list):
                continue
            if isinstance(value, list):
                value[:] = [self.visit(one) if isinstance(one, ast.AST) else one for one in value]
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        visited: ast.AST = getattr(self, f"_{type(node).__name__}", lambda same: same)(node)
        self.guard = guard
        return visited

    def _If(self, node: ast.If | ast.While | ast.IfExp) -> ast.AST:
        node.test = self._truth(node.test)
        return node

    _While = _IfExp = _If

    def _comprehension(self, node: ast.comprehension) -> ast.AST:
        node.ifs = [self._truth(one) for one in node.ifs]
        return node

    def _truth(self, test: ast.expr) -> ast.expr:
        """Tell the truth of a test or of its parts, unless it is a comparison, which tells more."""
        if isinstance(test, ast.BoolOp):
            test.values = [self._truth(one) for one in test.values]
            return test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test.operand = self._truth(test.operand)
            return test
        return test if _is_hook(test, "compare") else self._hooked("test", test, "test", test)

    def _Compare(self, node: ast.Compare) -> ast.AST:
        if len(node.ops) > 1:
            constants = tuple(one for one in map(_number, (node.left, *node.comparators)) if one is not None)
            return self._hooked("mask", node, "test", node, constants=constants)
        if not isinstance(node.ops[0], COMPARED):
            return node
        kind: Kind = "equality" if isinstance(node.ops[0], (ast.Eq, ast.NotEq)) else "comparison"
        operator = ast.Constant(type(node.ops[0]).__name__)
        return self._hooked("compare", node, kind, operator, node.left, node.comparators[0])

    def _BinOp(self, node: ast.BinOp) -> ast.AST:
        """Masks put together: `(x > 0) & (x < 1)`."""
        masks = isinstance(node.op, (ast.BitAnd, ast.BitOr, ast.Mult)) and any(
            _is_hook(one, "compare") for side in (node.left, node.right) for one in ast.walk(side)
        )
        return self._hooked("mask", node, "test", node) if masks else node

    def _Call(self, node: ast.Call) -> ast.AST:
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        if name not in SELECTIONS or any(isinstance(one, ast.Starred) for one in node.args):
            return node
        if any(keyword.arg is None for keyword in node.keywords):
            return node
        kind: Kind = "winner" if name in WINNERS else "clip" if name == "clip" else "selection"
        hooked = self._hooked("select", node, kind, called, *node.args)
        hooked.keywords = node.keywords
        return hooked

    def _hooked(
        self, what: str, node: ast.expr, kind: Kind, *arguments: ast.expr, constants: tuple[float, ...] = ()
    ) -> ast.Call:
        site = Site(self.file, node.lineno + self.shift, node.col_offset, _text(node), kind, self.guard)
        return ast.copy_location(self._hook(what, self.places.site(site, constants), *arguments), node)

    def _hook(self, what: str, number: int, *arguments: ast.expr) -> ast.Call:
        recorder = ast.Name(HOOK, ast.Load())
        return ast.Call(ast.Attribute(recorder, what, ast.Load()), [ast.Constant(number), *arguments], [])


def _number(node: ast.expr) -> float | None:
    """A number as it is written, with its sign."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return float(value) if isinstance(value, (int, float)) else None


def _raises(body: list[ast.stmt]) -> bool:
    """Whether a block ends in refusing."""
    return isinstance(body[-1], ast.Raise)


def _is_hook(node: ast.AST, what: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == HOOK
        and node.func.attr == what
    )


def _text(node: ast.expr) -> str:
    """The source of an expression, without what was put into it."""
    return ast.unparse(_Plain().visit(ast.parse(ast.unparse(node), mode="eval")).body)


class _Plain(ast.NodeTransformer):
    """Takes calls of the recorder out again."""

    def visit_Call(self, node: ast.Call) -> Any:
        """The call that a hook stands for."""
        self.generic_visit(node)
        if _is_hook(node, "test") or _is_hook(node, "mask"):
            return node.args[1]
        if _is_hook(node, "select"):
            return ast.Call(node.args[1], node.args[2:], node.keywords)
        if _is_hook(node, "compare"):
            operator = getattr(ast, node.args[1].value)()  # type: ignore[attr-defined]
            return ast.Compare(node.args[2], [operator], [node.args[3]])
        return node
