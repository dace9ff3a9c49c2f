"""Results as what JSON holds: one function for every answer to a program."""

import dataclasses
import enum
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxnet.activations import Activation
from jaxnet.data.duplicates import Place


def to_json(value: Any) -> Any:
    """Turn a result into dicts, lists, texts, numbers, True, False and None.

    Dataclasses and NamedTuples become dicts of their fields. An underscore at the end of a field's
    name, which keeps it from being a keyword of Python, is dropped: `class_` becomes "class".
    Arrays of NumPy and JAX become lists. Numbers that are not finite become None, since JSON has
    none. A picture's `Place` becomes "train 5", an activation its name, a path its text.

    Raises:
        TypeError: If a value is of a type for which none of this holds.
    """
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, enum.Enum):
        return to_json(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Place | os.PathLike):
        return str(value)
    if isinstance(value, Activation):
        return value.name
    fields = _fields(value)
    if fields is not None:
        return {str(key): to_json(item) for key, item in fields.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    if hasattr(value, "__array__"):  # an array, or a number of NumPy's
        return to_json(np.asarray(value).tolist())
    raise TypeError(f"a {type(value).__name__} cannot be turned into JSON")


def _fields(value: Any) -> Mapping[Any, Any] | None:
    """Return the fields of a dataclass, a NamedTuple or a dict by name; None of anything else."""
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        names = list(value._fields)
    else:
        return None
    return {name.removesuffix("_"): getattr(value, name) for name in names}
