"""What a derivative must respect beside its numbers: determinism, linearity, no trace of other calls, good manners.

Every item is tried through the `Problem` alone, at a point where forward is finite: arrays are handed over of which
copies are kept, the same question is put twice, other data are computed in between. Numbers are compared as the same
code gives them twice, so that a tolerance has to cover the order of summation only. What is waived is not tried.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from gradcheck.contract import algebra, floating, manners, sameness
from gradcheck.contract.setting import NotTried, Setting
from gradcheck.errors import told
from gradcheck.problem import Method, Problem, Subject, Values
from gradcheck.results import ContractResult

Item = Callable[[Setting], Iterator[str]]

# What breaks one of these makes a derivative wrong for somebody who uses it as it is meant to be used.
REQUIRED: dict[str, Item] = {
    "forward is deterministic": sameness.forward_is_deterministic,
    "derivatives are deterministic": sameness.derivatives_are_deterministic,
    "asking twice gives the same answer": sameness.asking_twice,
    "earlier calls leave no trace": sameness.earlier_calls_leave_no_trace,
    "derivatives leave weights alone": manners.derivatives_leave_weights,
    "vector-Jacobian products are linear": algebra.linear,
    "vector-Jacobian products agree with the local gradients": algebra.agrees_with_local,
}
# Nobody's derivative is wrong for these: `return [self.w]` is right, as long as the caller only reads it.
NOTED: dict[str, Item] = {
    "a call can be asked more than once": sameness.asked_more_than_once,
    "forward leaves its inputs alone": manners.forward_leaves_its_inputs,
    "derivatives leave their inputs alone": manners.derivatives_leave_inputs,
    "derivatives leave the upstream gradient alone": manners.derivatives_leave_the_upstream_gradient,
    "outputs are arrays of their own": manners.outputs_are_their_own,
    "gradients are arrays of their own": manners.gradients_are_their_own,
    "no floating-point warnings": floating.no_warnings,
}
# Only where there is one.
OF_HESSIANS: dict[str, Item] = {"Hessians are symmetric": algebra.symmetric}
ITEMS = {**REQUIRED, **NOTED}


def check_contract(
    subject: Subject, problem: Problem, values: Values, rng: np.random.Generator, case: bool = False
) -> list[ContractResult]:
    """Try every item of the contract at `values`; "not tried" where no method answers, or the item has no meaning.

    `case`: the problem is one of the subject's own cases, and not what it builds.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        setting = _setting(subject, problem, values, rng, case)
        second = OF_HESSIANS if any(method.symmetric for method in problem.methods) else {}
        return [_try(name, item, setting) for name, item in {**second, **ITEMS}.items()]


def _setting(subject: Subject, problem: Problem, values: Values, rng: np.random.Generator, case: bool) -> Setting:
    kept = {name: np.array(value) for name, value in values.items()}
    outputs = [np.asarray(output) for output in problem.forward(kept)]
    setting = Setting(subject, problem, kept, outputs, problem.methods, rng, case)
    return replace(setting, methods=tuple(method for method in problem.methods if _answers(setting, method)))


def _answers(setting: Setting, method: Method) -> bool:
    """Whether the method answers at all, and in numbers: what it says there is a matter of its claims."""
    try:
        answer = setting.ask(method)
        said = [one for name, one in setting.judged(method, answer) if one is not None]
        return bool(said) and all(np.isfinite(np.asarray(one, dtype=float)).all() for one in said)
    except Exception:  # other people's code
        return False


def _try(name: str, item: Item, setting: Setting) -> ContractResult:
    try:
        complaints = list(dict.fromkeys(item(setting)))
    except NotTried as reason:
        return ContractResult(name, "not tried", str(reason))
    except Exception as error:  # other people's code, which answered before: say so rather than stop the check
        return ContractResult(name, "not tried", f"it raised {told(error)}")
    pinned = item is sameness.forward_is_deterministic and setting.problem.random and not complaints
    detail = "it draws random numbers; their seed was pinned" if pinned else "; ".join(complaints)
    return ContractResult(name, "kept" if not complaints else "noted" if name in NOTED else "broken", detail)


__all__ = ["ITEMS", "check_contract"]
