"""Calls of a learner's function: what it takes, what it returns, and where it raises.

Only NumPy and the standard library are imported, since a process of its own does this for files
that were handed in (`child.py`).
"""

import ast
import errno
import inspect
import linecache
import re
import textwrap
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxnet.errors import UsageError
from jaxnet.evaluation.tutor.blanks import blanks_behind, is_blank

Letters = dict[str, Any]  # W1, b1, W2, b2, X, Y, Z1, A1, Z2, A2, m and others, by name

PARAMS = ("W1", "b1", "W2", "b2")
GRADIENTS = ("dA2", "dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1")


class Part(NamedTuple):
    """What a function of a part of the network takes and returns.

    Attributes:
        takes: What is passed, where its parameters have unusual names, by their number.
        returns: The quantities that may be returned, in the order in which they are computed.
        required: Those that must be returned.
        orders: The usual orders of a tuple.
        names: The usual names of such a function.
    """

    takes: dict[int, tuple[str, ...]]
    returns: tuple[str, ...]
    required: tuple[str, ...]
    orders: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]


PARTS = {
    "backprop": Part(
        {3: ("params", "X", "Y"), 4: ("params", "cache", "X", "Y")},
        GRADIENTS,
        ("dW2", "db2", "dW1", "db1"),
        (
            GRADIENTS,
            ("dW1", "db1", "dW2", "db2"),
            ("dW2", "db2", "dW1", "db1"),
            ("dW1", "dW2", "db1", "db2"),
            ("dZ2", "dW2", "db2", "dZ1", "dW1", "db1"),
            ("dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1"),
        ),
        ("backward", "backprop", "backpropagation", "backpropagate"),
    ),
    "forward": Part(
        {2: ("params", "X")},
        ("Z1", "A1", "Z2", "A2"),
        ("A2",),
        (
            ("Z1", "A1", "Z2", "A2"),
            ("A1", "A2"),
            ("A2",),
        ),
        ("forward", "forwardpropagation", "forwardprop"),
    ),
    "loss": Part(
        {2: ("A2", "Y"), 3: ("params", "X", "Y")},
        ("cost",),
        ("cost",),
        (("cost",),),
        ("loss", "cost", "computecost", "computeloss"),
    ),
    "update": Part(
        {3: ("params", "grads", "learning_rate")},
        PARAMS,
        PARAMS,
        (PARAMS, ("W1", "W2", "b1", "b2")),
        ("update", "updateparameters", "updateparams", "step"),
    ),
    "training": Part(
        {5: ("params", "X", "Y", "learning_rate", "iterations")},
        ("costs", *PARAMS),
        ("costs",),
        (),
        ("train", "training", "fit", "descend", "descent", "gradientdescent"),
    ),
}

# The usual names of parameters, without underscores and in lower case, and what they are.
NAMES = {
    **dict.fromkeys(("params", "parameters", "param", "theta", "p"), "params"),
    **dict.fromkeys(("cache", "caches", "activations", "stages", "forwardcache"), "cache"),
    **dict.fromkeys(("grads", "gradients", "grad", "derivatives"), "grads"),
    **dict.fromkeys(("learningrate", "alpha", "lr", "rate", "eta", "α"), "learning_rate"),
    **dict.fromkeys(("iterations", "numiterations", "steps", "epochs"), "iterations"),
    **dict.fromkeys(("al", "yhat", "ypred", "probabilities"), "A2"),
    "hidden": "hidden",
    **{name.lower(): name for name in (*PARAMS, *GRADIENTS, "X", "Y", "Z1", "A1", "Z2", "A2", "m")},
}
# Passed to a parameter that has a default, too.
OPTIONAL = ("hidden", "learning_rate", "iterations")


class Raised(NamedTuple):
    """An error of a learner's function: its class and first line, and the line that raised it."""

    kind: str
    message: str
    line: int | None
    code: str
    quantity: str | None  # what that line assigns
    number: int | None  # errno of an error of the system
    blanks: tuple[str, ...]  # variables that are not filled in, of which the error comes

    @property
    def limit(self) -> str | None:
        """Which limit of a process of its own this comes from, if it comes from one."""
        if self.kind in ("MemoryError", "_ArrayMemoryError"):
            return "memory"
        if self.kind == "SystemExit":
            return "exit"
        return "file" if self.number == errno.EFBIG else None


class Called(NamedTuple):
    """The result of one call: what it returned by name, or the error.

    Attributes:
        values: Arrays by the name of the quantity.
        flat: The biases of shape (n,), which `values` holds as (n, 1).
        changed: The inputs that were changed in place.
        blanks: What is not filled in where `...` is returned, or None though it is required; ""
            if it is all that is returned.
        raised: The error.
    """

    values: dict[str, np.ndarray]
    flat: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    blanks: tuple[str, ...] = ()
    raised: Raised | None = None


class Cache(dict[str, Any]):
    """Z1, A1, Z2 and A2 by name, as attributes, by number, or unpacked in a given order."""

    def __init__(self, letters: Letters, order: Sequence[str]) -> None:
        super().__init__({name: letters[name] for name in ("Z1", "A1", "Z2", "A2")})
        self._values = [letters[name] for name in order]

    def __missing__(self, key: Any) -> Any:
        if isinstance(key, int | slice):
            return self._values[key]
        raise KeyError(key)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(name)

    def __iter__(self) -> Any:
        return iter(self._values)


class Params(dict[str, Any]):
    """W1, b1, W2 and b2 by name, or as attributes."""

    __getattr__ = Cache.__getattr__


def call_all(function: Callable[..., Any], part: str, problems: Sequence[Letters]) -> list[Called]:
    """Call a function on every problem, until it raises.

    Raises:
        UsageError: If it takes or returns something else than a function of this part.
    """
    called: list[Called] = []
    for letters in problems:
        called.append(_call_one(function, part, letters))
        if called[-1].raised is not None:
            break
    return called


def _call_one(function: Callable[..., Any], part: str, letters: Letters) -> Called:
    """Call a function on arrays of NumPy, or of JAX if it asks for what only those have."""
    wishes: set[str] = set()
    while True:
        copies = _copies(letters, in_jax="arrays of JAX" in wishes)
        try:
            returned = _call(function, part, copies, wishes)
            break
        except UsageError:
            raise
        except (Exception, SystemExit) as cause:
            wish = next((wish for text, wish in _WISHES.items() if text in str(cause)), None)
            if wish is None or wish in wishes:
                return Called({}, raised=_as_raised(cause, function, part))
            wishes.add(wish)
    values, flat, blanks = _read(function, part, returned, letters)
    changed = tuple(
        name
        for name, value in letters.items()
        if isinstance(value, np.ndarray) and not np.array_equal(value, np.asarray(copies[name]))
    )
    return Called(values, flat, changed, blanks)


# What a function asks for by the error that it raises without it.
_WISHES = {
    "has no attribute 'at'": "arrays of JAX",
    "'dict' object has no attribute": "attributes",
    "as an abstract array": "a plain cache",  # jax.jit takes no dict that is more than one
}


def _copies(letters: Letters, in_jax: bool) -> Letters:
    if not in_jax:
        return {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in letters.items()}
    import jax  # only where the function uses it itself

    return {n: jax.device_put(v) if isinstance(v, np.ndarray) else v for n, v in letters.items()}


def _call(function: Callable[..., Any], part: str, letters: Letters, wishes: set[str]) -> Any:
    params = {name: letters[name] for name in PARAMS}
    if "a plain cache" in wishes:
        cache: dict[str, Any] = {name: letters[name] for name in ("Z1", "A1", "Z2", "A2")}
    else:
        cache = Cache(letters, _unpacked(function) or ["Z1", "A1", "Z2", "A2"])
    given = letters | {
        "params": Params(params) if "attributes" in wishes else params,
        "cache": cache,
        "grads": {name: letters[name] for name in GRADIENTS if name in letters},
    }
    positional, keywords = _arguments(function, part)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(
            *(given[name] for name in positional),
            **{key: given[name] for key, name in keywords.items()},
        )


def _arguments(function: Callable[..., Any], part: str) -> tuple[list[str], dict[str, str]]:
    """Return what is passed by position, and by keyword, in the names of the letters."""
    takes = PARTS[part].takes
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return list(next(iter(takes.values()))), {}
    positional, keywords, required, known = [], {}, 0, True
    for parameter in signature.parameters.values():
        meant = NAMES.get(parameter.name.replace("_", "").lower())
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is not parameter.empty:
            if meant in OPTIONAL:
                keywords[parameter.name] = meant
        elif parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = meant or parameter.name
            known = known and meant is not None
        else:
            required += 1
            positional.append(meant or parameter.name)
            known = known and meant is not None
    if known and required:
        return positional, keywords
    by_number = takes.get(required)
    if by_number is None or not set(keywords.values()) <= set(OPTIONAL):
        shown = ", ".join(signature.parameters)
        raise refuse(part, f"takes ({shown})")
    return list(by_number), keywords


def refuse(part: str, problem: str) -> UsageError:
    """Make the error for a function that takes or returns something else."""
    ways = " or ".join(f"({', '.join(names)})" for names in PARTS[part].takes.values())
    returned = ", ".join(PARTS[part].required)
    form = {"loss": "the cost", "training": "params and costs"}.get(
        part, f"a dict or a tuple of {returned}"
    )
    return UsageError(
        f"the function {problem}",
        f"a function of {ways} that returns {form}",
        f"define it as def mine{ways.partition(' or ')[0]}, and return {form}",
    )


# What is returned.

_NAME = re.compile(r"(?:d|g|∂|grad_?|d[jlc]_?d?)?_?([WbZA])_?\[?([12])\]?", re.IGNORECASE)
_LETTERS = {"w": "W", "b": "b", "z": "Z", "a": "A"}


def quantity_named(name: Any, part: str) -> str | None:
    """Return which quantity of a part a learner's name means: dw1, W1 and grad_W1 are dW1."""
    if part == "loss":
        return "cost"
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        return None
    letter = _LETTERS[match[1].lower()]
    if part == "backprop" and letter in "ZA" and name[0] in "ZAza":  # a stage, not its derivative
        return None
    name = ("d" if part == "backprop" else "") + letter + match[2]
    return name if name in PARTS[part].returns else None


def _read(
    function: Callable[..., Any], part: str, returned: Any, letters: Letters
) -> tuple[dict[str, np.ndarray], tuple[str, ...], tuple[str, ...]]:
    named = _by_name(function, part, returned, letters)
    values, flat = {}, []
    blanks = [
        name
        for name, value in named.items()
        if is_blank(value) or (value is None and name in PARTS[part].required)
    ]
    for name in PARTS[part].returns:
        if named.get(name) is None or name in blanks:
            continue
        try:
            value = np.asarray(named[name])
        except ValueError as cause:  # a list of lists of different lengths
            raise refuse(part, f"returns {name} of rows of different lengths") from cause
        if value.dtype.kind not in "fiub":
            raise refuse(part, f"returns {name} of type {type(named[name]).__name__}")
        if value.dtype.kind != "f":
            value = value.astype(float)
        shaped = with_bias_shape(name, value, letters)
        if shaped.shape != value.shape and value.ndim == 1:
            flat.append(name)
        values[name] = shaped
    if returned is None or (returned is Ellipsis and not named):
        blanks = [""]
    elif blanks:
        blanks = _blanks_written(function) or blanks
    elif not values:
        kind = type(returned).__name__
        held = f" of {', '.join(map(str, returned))}"[:80] if isinstance(returned, dict) else ""
        raise refuse(part, f"returns a {kind}{held}")
    return values, tuple(flat), tuple(blanks)


def with_bias_shape(name: str, value: np.ndarray, letters: Letters) -> np.ndarray:
    """Give a bias of shape (n,) its shape (n, 1), a cost of one number (), and costs (n,)."""
    if name == "costs":
        return value.reshape(-1)
    if name == "cost":
        return value.reshape(()) if value.size == 1 else value
    expected = letters.get(name.removeprefix("d"))
    if name.removeprefix("d") in ("b1", "b2") and expected is not None:
        n = expected.shape[0]
        if value.shape == (n,) or (n == 1 and value.shape == ()):
            return value.reshape(n, 1)
    return value


def _by_name(
    function: Callable[..., Any], part: str, returned: Any, letters: Letters
) -> dict[str, Any]:
    if hasattr(returned, "_asdict"):
        returned = returned._asdict()
    if part == "training":
        return _of_training(returned)
    if isinstance(returned, list | tuple):
        held = [item for item in returned if isinstance(item, Mapping) or hasattr(item, "_asdict")]
        if len(held) == 1:  # (cost, grads), or A2 and the cache
            extra = {} if part != "forward" else {"A2": returned[0]}
            return extra | _by_name(function, part, held[0], letters)
    if isinstance(returned, Mapping):
        pairs = [(quantity_named(key, part), value) for key, value in returned.items()]
        exact = {key: value for key, value in returned.items() if key in PARTS[part].returns}
        return {name: value for name, value in pairs if name is not None} | exact
    if isinstance(returned, list | tuple) and not np.isscalar(returned):
        written = [quantity_named(name, part) for name in _returned_names(function)]
        if len(written) == len(returned) and None not in written:
            return dict(zip(map(str, written), returned, strict=True))
        orders = [order for order in PARTS[part].orders if len(order) == len(returned)]
        if not orders:
            raise refuse(part, f"returns a tuple of {len(returned)}")
        fits = [_fitting(order, returned, letters) for order in orders]
        return dict(zip(orders[fits.index(max(fits))], returned, strict=True))
    if len(PARTS[part].required) == 1 and returned is not None:
        return {PARTS[part].required[0]: returned}
    return {}


def _of_training(returned: Any) -> dict[str, Any]:
    """Name what a training returns: the params and the costs in any order, or the costs alone."""
    found: dict[str, Any] = {}
    for item in returned if isinstance(returned, tuple) else (returned,):
        if isinstance(item, Mapping):
            found |= item
        else:
            found["params" if item is Ellipsis and "params" not in found else "costs"] = item
    inner = found.get("params")
    return found | dict(inner) if isinstance(inner, Mapping) else found


def _fitting(order: Sequence[str], values: Sequence[Any], letters: Letters) -> int:
    """Count the values whose shape is that of the quantity."""
    return sum(
        name == "cost"
        or with_bias_shape(name, np.asarray(value), letters).shape
        == np.shape(letters[name.removeprefix("d")])
        for name, value in zip(order, values, strict=True)
    )


# What the source says.


def _tree(function: Callable[..., Any]) -> list[ast.AST]:
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
        return list(ast.walk(ast.parse(source)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        return []


def _unpacked(function: Callable[..., Any]) -> list[str] | None:
    """Return the names into which a tuple of Z1, A1 and others is unpacked, if it is."""
    for node in _tree(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            names = [each.id for each in node.targets[0].elts if isinstance(each, ast.Name)]
            known = [NAMES.get(name.lower(), "") for name in names]
            whole = len(known) == len(node.targets[0].elts)
            cached = isinstance(node.value, ast.Name) and NAMES.get(node.value.id.lower())
            if whole and cached == "cache" and set(known) <= {*PARAMS, "Z1", "A1", "Z2", "A2", "X"}:
                return known
    return None


def _blanks_written(function: Callable[..., Any]) -> list[str]:
    """Return the variables to which `...` is assigned."""
    return [
        target.id
        for node in _tree(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if node.value.value is Ellipsis and isinstance(target, ast.Name)
    ]


def _returned_names(function: Callable[..., Any]) -> list[str]:
    for node in _tree(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            return [each.id if isinstance(each, ast.Name) else "" for each in node.value.elts]
    return []


def _as_raised(cause: BaseException, function: Callable[..., Any], part: str) -> Raised:
    """Describe an error, with the last line of the learner's own file that is in its traceback."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return describe_error(cause, "" if code is None else code.co_filename, part)


def describe_error(cause: BaseException, filename: str, part: str) -> Raised:
    """Describe an error, with the last line of a file that is in its traceback."""
    frames = traceback.walk_tb(cause.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename == filename]
    text = linecache.getline(filename, lines[-1]).strip() if lines else ""
    target = re.match(r"(?:\w+\[[\"'])?(\w+)(?:[\"']\])?\s*[-+*/@]?=[^=]", text)
    quantity = quantity_named(target[1], part) if target else None
    first, *_ = str(cause).splitlines() or [""]
    number = cause.errno if isinstance(cause, OSError) else None
    line = lines[-1] if lines else None
    blanks = blanks_behind(cause, filename)
    return Raised(type(cause).__name__, first[:300], line, text[:200], quantity, number, blanks)


# Which operand of a formula is transposed, and which must not stand in it.
_TRANSPOSED = {"dW2": "A1", "dA1": "W2", "dZ1": "W2", "dW1": "X"}
_OTHER = {"dA1": "W1", "dZ1": "W1"}
_FACTORS = {"Z1": ("W1", "X"), "Z2": ("W2", "A1")}


def quantity_in_source(raised: Raised, part: str) -> tuple[str, str]:
    """Return which quantity the line computes that raised an error, and the slip if it is seen."""
    quantity = raised.quantity if raised.quantity in PARTS[part].returns else None
    right_side = raised.code.partition("=")[2]
    if quantity in _FACTORS and part == "forward":
        return quantity, _slip_in_product(right_side, *_FACTORS[quantity])
    if quantity is None or part != "backprop":
        return quantity or "", "raises"
    A, other = _TRANSPOSED.get(quantity, ""), _OTHER.get(quantity, "")
    if other and re.search(rf"\b{other}\b", right_side):
        return quantity, "W1 for W2"
    bare = rf"\b{A}\b(?![\"']?\]?\s*\.(?:T\b|transpose))"
    if A and re.search(bare, right_side) and f"transpose({A}" not in right_side:
        return quantity, f"{A}, not {A}ᵀ"
    return quantity, "raises"


def _slip_in_product(right_side: str, W: str, A: str) -> str:
    """Return the slip that is seen in a product W A, which cannot be computed."""
    for each in (W, A):
        transposed = rf"\b{each}\b[\"']?\]?\s*\.(?:T\b|transpose)|transpose\({each}\b"
        if re.search(transposed, right_side):
            return f"{each}ᵀ, not {each}"
    swapped = re.search(rf"\b{A}\b.*(?:@|,).*\b{W}\b", right_side)
    return "factors swapped" if swapped else "raises"
