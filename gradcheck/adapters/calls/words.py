"""The words in names: which function is whose derivative, which gradient belongs to which argument, what data are."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence


def vocabulary(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


# Words that say "derivative", and words that say "the function itself".
DERIVATIVE = vocabulary(
    "grad grads gradient gradients gradf backward backwards bwd backprop backpropagate backpropagation bprop"
    " bp back  prime derivative derivatives deriv derivs der derive differential diff jac jacobian slope d dash"
    " pullback vjp jvp pushforward ableitung derivada derivee gradiente  gprime dx dz dy fprime"
)
SECOND = vocabulary("hess hessian hesse")
# Of those, and of their products with a vector.
PRODUCTS = vocabulary("hessp hvp hessvec hessprod")
SECOND_ORDER = SECOND | PRODUCTS
VECTORS = vocabulary("vec vector prod product times dot p")
# A bare Jacobian belongs to the residuals beside it, not to the sum of their squares.
JACOBIAN = vocabulary("jac jacobian")
RESIDUALS = vocabulary("residual residuals resid resids res")
FORWARD = vocabulary("forward forwards fwd fprop fp feedforward forwardprop")
VALUE = vocabulary("cost costs loss losses objective obj fun func function fn f value val error err energy criterion j")
# Words that name a variant of one function, or hold others together.
FILLING = vocabulary(
    "of the wrt with by to from output out outputs func function fn activation act pass prop propagation propagate"
    " compute calculate calc get eval evaluate"
)
VARIANTS = vocabulary("naive fast slow alt vectorized vectorised vec loop loops numpy np v2 v1 im2col strides new old")

UPSTREAM = re.compile(
    r"d_?(out|output|outputs|loss|l|j|e|upstream|next_?h|next_?c|h|y|z|a|al|s|o|l_?d\w+|values|vals)(_(next|out|l))?\d*"
    r"|grad_?(out|output|outputs|in|y|h|z)?|g|gy|g_?out\w*|gradient|gradients?_?(out\w*)?|upstream\w*|delta\w*|error|err"
    r"|back_?grad\w*|cotangents?|ct|d(L|loss|j|e|cost|err)_?d_?\w+|(top|next|prev|incoming|output|accum)_?(grad|diff|gradient)\w*|v|u",
    re.IGNORECASE,
)
CACHE = re.compile(
    r"\w*caches?\w*|ctx|context|res|residuals?|saved\w*|tape|memory|mem|stash|state|aux|mask|store|stored|intermediates?"
    r"|activations?|tmp|temp|params?_?cache|history",
    re.IGNORECASE,
)
OUTPUT = re.compile(r"out(put)?s?|y|a|s|sig|act(ivation)?s?|result|value|val|f|fx|h|p|probs?", re.IGNORECASE)
LABELS = re.compile(
    r"y|ys|y_?true|y_?batch|y_?train|y_?data|t|target\w*|labels?\w*|truths?|ground_?truth|gt|y_?enc|yd|y_?onehot|one_?hot"
    r"|Y_?true|classes|class_?idx|label_?idx|\w*_?labels?|\w*word_?idx|expected|desired|tokens_?out",
    re.IGNORECASE,
)
PREDICTIONS = re.compile(r"y_?(pred|hat|prob|score|est)\w*|\w*_?pred(ictions?|icted|s)?|yhat|AL|logits?|output")
# What may be predictions where it stands behind labels: `bce(y, p)`, `cost(t, a)`.
BEHIND_LABELS = re.compile(r"[paoqhsz]|p_?hat|probs?|probabilit(y|ies)|out(put)?s?|scores?|activations?", re.IGNORECASE)
# Numbers that are one for a whole function.
SCALARS = re.compile(r"(log_?)?(length_?scale|amplitude|noise|period|rate)\d?|ell|ls|omega|tau")
# Numbers as well, where their gradients are written one after the other into one array.
MOMENTS = re.compile(r"(log_?)?(mu|mean|sigma\d?|std|var|variance|scale|loc)\d?")
# Numbers that are positive: a formula divides by them.
SPREADS = re.compile(r"(length_?scale|bandwidth|variance|var|std|sigma|period)\d?")
INDICES = re.compile(
    r"idx|indices|index|ids?|tokens?|words?|inputs?_?ids?|\w*_?(idx|indices|ids|index)|\w+2ind|\w*words?", re.IGNORECASE
)
MASKS = re.compile(r"\w*mask\w*|r|observed|rated", re.IGNORECASE)
WEIGHTS = re.compile(
    r"w|w\d+|W\w{0,3}|w_?[a-z0-9]{1,3}|weights?\w*|kernels?|filters?|theta\w*|Theta\w*|U|V|U\w|V\w|params?|parameters|coefs?"
    r"|beta|betas|nn_?params|emb\w*|\w*vectors?|\w*Vecs?|B"
)
# All weights in one vector.
FLAT = re.compile(r"(nn_?)?(theta|params?)(_vec\w*|_?flat|_?unrolled)?", re.IGNORECASE)
BIASES = re.compile(r"b|b\d+|b_?[a-z]{1,3}\d*|bias\w*|biases|intercept|b_?\d|c0")
SCALES = re.compile(r"gamma\d?|beta\d?|scale|shift|ln_?[wgb]\w*", re.IGNORECASE)
BATCHES = re.compile(r"m|n|N|M|batch_?size|num_?(examples|samples|train)|n_?(examples|samples)|nsamples|bs")


def words_of(name: str) -> tuple[str, ...]:
    """Cut a name into words in lower case.

    >>> words_of("sigmoidGradient"), words_of("conv_backward_naive"), words_of("L_model_forward")
    (('sigmoid', 'gradient'), ('conv', 'backward', 'naive'), ('l', 'model', 'forward'))
    >>> words_of("lrgradientReg")
    ('lr', 'gradient', 'reg')
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    found = [word for word in snake.lower().split("_") if word]
    return tuple(part for word in found for part in _cut(word))


def _cut(word: str) -> tuple[str, ...]:
    """Cut a known word off the end of one that is written together with it: `lrgradient`, `nncost`."""
    ends = re.fullmatch(r"(\w{2,})(gradients?|costs?|loss|backward|forward|prime|derivative|deriv|grad)", word)
    return (ends[1], ends[2]) if ends and word not in ("feedforward", "batchloss") else (word,)


def function_bases(name: str) -> list[frozenset[str]]:
    """Return what a function may be about, the most exact first: its name, and it without "forward" or "loss".

    >>> [sorted(base) for base in function_bases("affine_forward")]
    [['affine', 'forward'], ['affine']]
    """
    words = frozenset(words_of(name))
    found = [words, words - FORWARD, words - VALUE, words - VALUE - FORWARD]
    return list(dict.fromkeys(found))


PARTIAL = re.compile(r"(?:d|partial_?)_?(?P<f>[A-Za-z]\w*?)_?(?:_d|_wrt_|_by_)(?P<x>[A-Za-z]\w*)")


def derivative_bases(name: str) -> list[frozenset[str]]:
    """Return what a derivative may be the derivative of; [] for a name that says nothing of the kind.

    >>> [sorted(base) for base in derivative_bases("dsigmoid")], [sorted(b) for b in derivative_bases("relu_backward")]
    ([['sigmoid']], [['relu']])
    >>> derivative_bases("van_der_waals"), [sorted(base) for base in derivative_bases("sigmoid_der")]
    ([], [['sigmoid']])
    """
    words = words_of(name)
    found: list[frozenset[str]] = []
    if places := [place for place, _ in enumerate(words) if _says_so(words, place)]:
        found += [frozenset(words[:place] + words[place + 1 :]) for place in places]
        found.append(frozenset(word for place, word in enumerate(words) if place not in places))
    joined = name.strip("_")
    if quotient := PARTIAL.fullmatch(joined):
        found.append(frozenset(words_of(quotient["f"])))
    attached = re.fullmatch(r"d_?([A-Za-z]\w*)|([a-z]\w*?)(?:prime|grad|deriv|derivative|backward|dash|_d|p)", joined)
    if attached and not found:
        found.append(frozenset(words_of(attached.group(1) or attached.group(2))))
    return list(dict.fromkeys(found))


def is_named_after_a_derivative(name: str) -> bool:
    """Whether a word of the name says so, other than the bare letters that may mean anything."""
    words = words_of(name)
    return any(_says_so(words, place) and len(word) > 1 for place, word in enumerate(words))


def _says_so(words: Sequence[str], place: int) -> bool:
    """Whether a word says that this is a derivative; "der" between others is an article, as in `van_der_waals`."""
    return words[place] in DERIVATIVE and (words[place] != "der" or place in (0, len(words) - 1))


def distance(base: frozenset[str], function: str) -> int | None:
    """Return how far the words of a function's name are from `base`; `None` where they name something else.

    >>> distance(frozenset({"conv", "naive"}), "conv_forward_naive"), distance(frozenset({"relu"}), "tanh")
    (1, None)
    """
    for number, words in enumerate(function_bases(function)):
        if words == base:
            return number
    for number, words in enumerate(function_bases(function)):
        apart = words ^ base
        if words & base and apart <= (FILLING | VARIANTS):
            return 10 + number + len(apart)
        if not words - FILLING and not base - FILLING:
            return 30 + number + len(apart)
    return None


def matches_output(parameter: str, output: str) -> bool:
    """Whether a name says that this is the gradient by the output of that name: `dnext_h`, `dZ`, `da_next`."""
    plain, wanted = re.sub(r"\W|_", "", parameter).lower(), re.sub(r"_", "", output).lower()
    return bool(wanted) and plain in {f"d{wanted}", f"grad{wanted}", f"g{wanted}", f"dl{wanted}", f"dld{wanted}"}


GRADIENT = re.compile(
    r"(?:d_|d|grad_?(?:of_|by_|wrt_)?|gradient_|g_|g|nabla_?|delta_|del_|dL_?d_?|dJ_?d_?|dloss_?d?_?|dcost_?d?_?|D_?)(?P<name>\w+)"
    r"|(?P<before>\w+?)_?(?:grads?|gradients?|_d|derivs?)"
)


QUOTIENT = re.compile(r"d_?(?:[jlcef]|loss|cost|err|error|out)_?d_?(?P<name>\w+)(?P<before>)", re.IGNORECASE)


def variable_names(gradient: str) -> list[str]:
    """Return the names of variables whose gradient an array of this name may be, the likeliest first.

    >>> variable_names("dprev_h"), variable_names("W1_grad")
    (['prev_h'], ['W1'])
    """
    found = [GRADIENT.fullmatch(gradient), QUOTIENT.fullmatch(gradient)]
    return [one.group("name") or one.group("before") for one in found if one]


def owner(gradient: str, variables: Collection[str]) -> str | None:
    """Return the variable that an array is named as the gradient of, or that has its very name (as a key)."""
    exact = {name: name for name in variables}
    folded = {re.sub("_", "", name).lower(): name for name in variables}
    candidates = [*variable_names(gradient), gradient]
    for name in candidates:
        if name in exact:
            return exact[name]
    for name in candidates:
        if (plain := re.sub("_", "", name).lower()) in folded:
            return folded[plain]
    return None


def is_gradient_name(name: str) -> bool:
    """Whether what is returned under this name is likely a gradient.

    >>> [is_gradient_name(name) for name in ("dW1", "grads", "gradPred", "cache", "data", "dx", "g")]
    [True, True, True, False, False, True, True]
    """
    return (
        re.fullmatch(
            r"d[A-Z]\w*|(?!data|date|day|dash|dyn|dbg)d_?(x|w|b|h|a|z|y|theta|gamma|beta|scores|logits|out|prev)\w{0,8}|d_\w+|g|grads?\w*|grad[A-Z_]\w*"
            r"|gradients?\w*|\w+_grads?|\w+_gradients?|jac|jacobian|df\w?|dJ\w*|nabla\w*|g[A-Z]\w*|derivs?",
            name,
        )
        is not None
    )


def is_scale(name: str) -> bool:
    """Whether an argument is named like the scale or shift of a normalization."""
    return SCALES.fullmatch(name) is not None


def is_bias(name: str) -> bool:
    """Whether an argument is named like a bias."""
    return BIASES.fullmatch(name) is not None and not is_scale(name)


def is_weight(name: str) -> bool:
    """Whether an argument is named like weights, a bias or a scale."""
    return WEIGHTS.fullmatch(name) is not None or is_bias(name) or is_scale(name)
