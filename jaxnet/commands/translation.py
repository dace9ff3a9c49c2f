"""Errors of the library, which name arguments, in the words of the command line."""

import dataclasses
import re

from jaxnet.commands.options import PANELS

_FIELDS = {field.name for kind in PANELS for field in dataclasses.fields(kind)}
_ARGUMENTS = {
    "channels",
    "folds",
    "force",
    "picture",
    "pictures",
    "recursive",
    "repeats",
    "sizes",
}
_NAMES = sorted(_FIELDS | _ARGUMENTS, key=len, reverse=True)

# Not within a path or a quoted text, which may hold the same words, nor the name of a setting in a
# file: runs/learning_rate, "size=64", the setting data_seed.
_BEFORE, _AFTER = r"(?<!setting )(?<![\w./\\\"'=-])", r"(?![\w/\\\"'=-]|\.\w)"

# A value in brackets stays: it is Python, which no option takes.
_VALUE = r"[^\s,;:()\[\]{}\"]"
_AS_ARGUMENT = re.compile(rf"{_BEFORE}({'|'.join(_NAMES)})=(\"[^\"]*\"|{_VALUE}*(?!\.){_VALUE})")
_AS_CALL = re.compile(r"load_dataset\(…, ([^()]*)\)")

# Names without an underscore are everyday words, too: elsewhere they are translated only as the
# first word of the message.
_AS_SUBJECT = re.compile(rf"\A({'|'.join(_NAMES)})(?= (?:is|holds)\b)")
_UNDERSCORED = re.compile(rf"{_BEFORE}({'|'.join(name for name in _NAMES if '_' in name)}){_AFTER}")


def as_options(message: str) -> str:
    """Name options where an error of the library names arguments: learning_rate, size=64."""
    message = _AS_CALL.sub(lambda m: m[1], message)
    message = _AS_ARGUMENT.sub(lambda m: _option(m[1], m[2].strip('"')), message)
    message = _AS_SUBJECT.sub(lambda m: _option(m[1]), message)
    return _UNDERSCORED.sub(lambda m: _option(m[1]), message)


def _option(name: str, value: str = "True") -> str:
    option = "--" + name.replace("_", "-")
    return option if value == "True" else f"{option} {value}"
