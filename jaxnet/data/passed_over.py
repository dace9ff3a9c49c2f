"""Count the files that a folder or a table of files holds and that are not read, by their kind."""

import os
from collections.abc import Iterable

from jaxnet.data.dataset import PassedOver
from jaxnet.data.tree import count_kind
from jaxnet.errors import DataError

Found = dict[str, list[str]]  # the paths of what is passed over, by kind


def add(found: Found, kind: str, files: Iterable[str]) -> None:
    """Enter files under their kind."""
    listed = list(files)
    if listed:
        found.setdefault(kind, []).extend(listed)


def count(found: Found) -> tuple[PassedOver, ...]:
    """Count what is passed over, by kind, each with an example."""
    result = []
    for kind in sorted(found):
        files, shown = found[kind], readable(kind)
        example = readable(min(files))
        line = count_kind(shown, len(files))
        line += f" ({example})" if len(files) == 1 else f" ({example}, …)"
        result.append(PassedOver(shown, len(files), example, line))
    return tuple(result)


def require_none(source: str, passed_over: tuple[PassedOver, ...]) -> None:
    """Raise a DataError if anything is passed over."""
    if passed_over:
        raise DataError(
            f"{source} holds files that are passed over: {'; '.join(map(str, passed_over))}",
            "pictures only, because strict=True is given",
            "move the files away, or leave strict=True out",
        )


def readable(name: str) -> str:
    """Replace the characters of a file name that are unprintable or not valid UTF-8."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
