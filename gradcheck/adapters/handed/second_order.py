"""Second derivatives: a Hessian is the Jacobian of the gradient, by one array, of a function of one output.

The gradient that it is held against is the one that was claimed, where that was found right; else it is measured.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.adapters import source
from gradcheck.adapters.handed import derivatives, writing
from gradcheck.adapters.handed.derivatives import Derivative
from gradcheck.adapters.handed.forward import Whole
from gradcheck.adapters.handed.given import Call, Function, Given, Part
from gradcheck.adapters.handed.gradients import Gradient, JacobianOf, Measured
from gradcheck.adapters.handed.known import Known
from gradcheck.adapters.handed.options import Claims, Spaces
from gradcheck.adapters.handed.posing import assembled
from gradcheck.adapters.handed.standing import shown
from gradcheck.errors import CannotBuild, UsageError
from gradcheck.problem import Problem, Sizes, Subject


@dataclass(frozen=True)
class SecondOrder:
    """What is claimed of the second derivatives of a call: its Hessian, products with it, and the gradient's own.

    `again`: the Jacobian of the claimed gradient is a claim as well, and everything is held against f itself.
    """

    call: Call
    claims: Claims
    hess: Function | None = None
    hessp: Function | None = None
    again: bool = False

    def __post_init__(self) -> None:
        for name, claim in (("hess", self.hess), ("hessp", self.hessp)):
            if claim is not None and not callable(claim):
                raise UsageError(f"expected {name} to be a function, but got {type(claim).__name__}: pass it uncalled")
        if len(self.call.wrt) > 1 or self.variable.nested or self.part.array.dtype.kind == "c":
            kind = "complex" if self.part.array.dtype.kind == "c" else "several arrays"
            raise UsageError(f"second derivatives are by one real array, but {self.variable.name} is {kind}: see wrt=")
        if self.claims.symmetric or self.claims.tangent is not None:
            raise UsageError("second derivatives are by free entries: leave out symmetric= and tangent=")

    @property
    def variable(self) -> Given:
        """The argument by which is differentiated: the first."""
        return self.call.floats[0]

    @property
    def part(self) -> Part:
        """Its array."""
        return self.variable.parts[0]

    def subject(self, right: bool) -> Subject:
        """Return the subject "the gradient at the point", of which second derivatives are claimed.

        `right`: what was claimed of the gradient was found right.
        """
        f = shown(self.call.f)
        problem = functools.cache(lambda: self._problem(right))

        def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
            return problem()

        code = tuple(shown(one) for one in (f, self.hess, self.hessp) if one is not None)
        return Subject(source.title(f), source.location(f), source.documentation(f), build, fixed=True, code=code)

    def _problem(self, right: bool) -> Problem:
        claimed = self._claimed()
        domain = Spaces(self.call, self.claims).domain(self.variable, self.part.name, free=True)
        gradient: Function
        if claimed is None or self.again or not right:
            measured = Measured.of(self.call, self.variable, domain, self.claims)
            gradient, accuracy, how = measured, measured.accuracy, "the gradient is measured"
        else:
            gradient, accuracy, how = claimed, self.claims.accuracy, "the gradient is the one that was claimed"
        known = Known(replace(self.call, f=gradient, wrt=(self.variable,)))
        found: list[Derivative] = []
        if self.hess is not None:
            found += derivatives.jac(known, self.hess, "hess")
        if self.hessp is not None:
            found += derivatives.jvp(known, self.hessp, "hessp", after_point=True)
        if self.again and claimed is not None:
            again = JacobianOf(claimed, self.call.arguments.index(self.variable))
            found += derivatives.jac(known, again, "Jacobian of grad")
        problem = assembled(known, replace(self.claims, accuracy=accuracy), found)
        methods = tuple(replace(method, symmetric=method.name.startswith("hess")) for method in problem.methods)
        whole = problem.forward
        assert isinstance(whole, Whole)
        return replace(
            problem,
            methods=methods,
            reading=f"{problem.reading}; {how}",
            call=None,
            written=lambda values: writing.arguments(self.call, whole, self.claims, values),
        )

    def _claimed(self) -> Gradient | None:
        """The claimed gradient by the variable."""
        known = Known(self.call, pair=self.claims.jac is True)
        if sum(one.size for one in known.outputs) != 1:
            shape = " and ".join(str(one.shape) for one in known.outputs)
            raise CannotBuild(f"a Hessian is that of a function with one number for its output, but f returns {shape}")
        for name, claim in self.claims.functions.items():
            for one in derivatives.KINDS[name](known, None if claim is True else claim):
                if one.kind != "jvp" and self.variable in one.about:
                    return Gradient(one, self.part, known.outputs[0])
        return None
