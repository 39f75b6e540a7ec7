"""A verified repair, told as the cause: what the code says, and what belongs there.

A cause of the tables that is an identity between the claim and the derivative (2 ×, minus, transposed) says more in
fewer words, and stays the first. Any other is one of several stories that fit the numbers, and the repair is proven.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradcheck.repair.scene import Edit
from gradcheck.results import Cause, Repair

# Longer lines are told by the expression that changes.
WIDTH = 160

# Names of causes that say what the claim is, not how it may have come about.
IDENTITIES = re.compile(
    r"sign flipped.*|.*factor 2.*|.*1/.*|both means.*|averaged (instead|over).*|times a constant|zero|transposed"
    r"|upstream gradient ignored|not summed.*|an axis summed away|number instead of an array"
    r"|wrong shape, right numbers|(output|input) instead of .*|missing epsilon|wrong number of gradients"
    r"|array instead of a list|writes into .*|one output ignored|.* some entries|constant mistyped"
)

JUMPS = re.compile(r"without `(break|continue|return)\b")

# What is wrong where a repair of a kind puts one thing in the place of another.
WRONG = {
    "operators": ("wrong operator", "The operator is wrong"),
    "signs": ("wrong sign", "The sign is wrong"),
    "transposes": ("transpose missing", "A transpose is missing"),
    "axes": ("wrong axis", "The axis is wrong"),
    "names": ("wrong name", "The wrong variable is used"),
    "constants": ("wrong constant", "The constant is wrong"),
    "comparisons": ("wrong comparison", "The comparison is wrong"),
    "functions": ("wrong function", "The function is wrong"),
    "epsilons": ("missing epsilon", "A small constant of forward is missing"),
    "indices": ("wrong index", "The index is wrong"),
    "statements": ("wrong statement", "The statement is wrong"),
    "donors": ("wrong expression", "The expression is wrong"),
}


def first_of(causes: Sequence[Cause], edit: Edit, repair: Repair) -> tuple[Cause, ...]:
    """The causes of a claim for which a repair was found, best first.

    That a claim is right without a statement says little: what the statement is there for is gone as well.
    """
    if edit.kind == "statements" and edit.what.startswith("without") and not JUMPS.match(edit.what):
        return tuple(causes)
    if causes and IDENTITIES.fullmatch(causes[0].name):
        return (causes[0], cause_of(edit, repair))
    return (cause_of(edit, repair),)


def cause_of(edit: Edit, repair: Repair) -> Cause:
    """What is wrong, if an edit is what makes it right."""
    name, what = _named(edit)
    old, new = repair.old.strip(), repair.new.strip()
    if "\n" in old + new or len(old) + len(new) > WIDTH:
        text = edit.unit.file.text[edit.start : edit.end].strip()
        old, new = (text, edit.text.strip()) if text and "\n" not in text + edit.text else ("", "")
    place = f"line {repair.line}"
    if edit.what == "indented otherwise" or (repair.old and not repair.new) or not old:
        sentence = f"{what}: {place}."
    else:
        sentence = f"{what}: {place} says `{old}` and should say `{new}`."
    return Cause(name, sentence, "with this one change the claim is right, at points of other seeds, too")


def _named(edit: Edit) -> tuple[str, str]:
    """The name of the mistake that an edit undoes, and how a sentence about it begins."""
    what = edit.what
    old = edit.unit.file.text[edit.start : edit.end]
    if what == "indented otherwise":
        inside = old.lstrip().startswith("return")
        name = "returns inside a loop" if inside else "wrong indentation"
        return (
            name,
            "It returns inside a loop, before the other rounds" if inside else "A statement is indented wrongly",
        )
    if what == "`/` for `//`":
        return "integer division", "`//` cuts off the fraction"
    if what == "plus its transpose":
        return "transposed term missing", "A matrix acts twice: its transpose has to be added"
    if what == "every duplicate counts":
        return "duplicates overwritten", "Indices that occur twice are written once: `np.add.at` adds up"
    if re.fullmatch(r"`[+\-*]=` for `=`", what):
        return "overwritten", "It is overwritten where it should be added up"
    stride = re.fullmatch(r"the index × (.+)", what)
    if stride:
        noun = "stride" if "strid" in stride[1].lower() else stride[1]
        return f"{noun} forgotten", f"The window is taken without its {noun}"
    if what.startswith("masked by"):
        return "mask of the gradient itself", "A ReLU's mask is made of the gradient itself, not of what went in"
    factor = re.fullmatch(r"([×÷] .+|.+ ×)", what)
    if factor:
        return "missing factor", f"A factor is missing, {what}"
    if what in (
        "the operands in the other order",
        "the arguments in the other order",
        "the indices in the other order",
    ):
        return f"{what.split()[1]} in the wrong order", f"{what.split()[1].capitalize()} are in the wrong order"
    less = re.fullmatch(r"less (.*)", what)
    if less:
        return "projection missing", f"A term that is subtracted is missing, {less[1]}"
    number = re.fullmatch(r"[+-] [\d.]+", what)
    if number:
        return "number missing", f"A number is missing, {what}"
    summed = re.fullmatch(r"(summed|averaged) (over .*)", what)
    if summed:
        noun = "sum" if summed[1] == "summed" else "mean"
        return f"{noun} missing", f"A {noun} {summed[2]} is missing"
    dropped = re.fullmatch(r"(?:without|only) (.*)", what)
    if dropped:
        return _too_much(edit, what)
    if edit.kind == "axes" and what.startswith("`") and " for " in what:
        right, wrong = re.findall(r"`(\w+)`", what)
        return f"{wrong} instead of {right}", f"A {wrong} stands where a {right} belongs"
    if "keepdims" in what:
        return "keepdims missing", "`keepdims` is missing"
    return WRONG.get(edit.kind, ("wrong expression", "The expression is wrong"))


def _too_much(edit: Edit, what: str) -> tuple[str, str]:
    if what == "without its minus":
        return WRONG["signs"]
    if what == "without the negation":
        return "negation too many", "A negation does not belong there"
    if what == "without the index":
        return "index too many", "An index does not belong there"
    thing = what.partition(" ")[2]
    noun = {"transposes": "transpose", "axes": "reduction", "functions": "function", "statements": "statement"}.get(
        edit.kind, "factor" if re.match(r"`[*/]", thing) else "term" if re.match(r"`[+\-]", thing) else "operand"
    )
    return f"{noun} too many", f"{thing} does not belong there"
