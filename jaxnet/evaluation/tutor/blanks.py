"""What a learner has not filled in yet: `...`, None, or `raise NotImplementedError`."""

import linecache
import re
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np


def is_blank(value: Any) -> bool:
    """Return whether a value is `...`, or a list or an array that holds it."""
    if isinstance(value, np.ndarray):
        return value.dtype == object and any(map(is_blank, value.flat))
    if isinstance(value, list | tuple):
        return any(map(is_blank, value))
    return value is Ellipsis


def blanks_behind(cause: BaseException, filename: str) -> tuple[str, ...]:
    """Return which variables of a file an error comes of, since they are not filled in.

    The name is empty where something without a name is not filled in.
    """
    told = isinstance(cause, NotImplementedError) or "ellipsis" in str(cause).lower()
    unnamed, names = told, []
    for frame, number in traceback.walk_tb(cause.__traceback__):
        if frame.f_code.co_filename == filename:
            line = linecache.getline(filename, number)
            # A literal, but not that of an index, A[..., 0].
            unnamed = unnamed or re.search(r"(?<!\[)\.\.\.(?!\])", line) is not None
            for name, value in _variables(frame):
                stands = re.search(rf"\b{re.escape(name)}\b", line) is not None
                if (is_blank(value) and (told or stands)) or (value is None and stands):
                    names.append(name)
    return tuple(dict.fromkeys(names)) or (("",) if unnamed else ())


def _variables(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """List the variables that are assigned, and what the dicts among them hold."""
    code = frame.f_code
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    for name, value in frame.f_locals.items():
        if name not in arguments or value is not None:
            yield name, value
        if isinstance(value, dict):
            yield from ((str(key), held) for key, held in value.items())
