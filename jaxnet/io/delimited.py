"""Read a table of texts (.csv, .tsv): its encoding, its delimiter, its rows."""

import csv
from pathlib import Path
from typing import NamedTuple

from jaxnet.errors import DataError
from jaxnet.io.files import require_path

MOST_BYTES = 2**28
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "vertical bar"}
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig"))

EXPECTED = "a table in UTF-8 whose rows have equally many cells, at least two"


class Row(NamedTuple):
    """A row of a table: the number of its last line in the file, from 1, and its cells."""

    line: int
    cells: tuple[str, ...]


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a table, without empty ones; spaces around a cell are removed.

    The delimiter is the one that gives every row the same number of cells, at least two; of
    several, the one that gives most.

    Raises:
        DataError: If the file is missing, empty, too large or no text, or no delimiter fits.
    """
    require_path(path)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(
            f"{path} has {size / 2**20:,.0f} MiB",
            f"at most {MOST_BYTES / 2**20:,.0f} MiB",
            "divide the pictures among folders instead, one for each class",
        )
    content = path.read_bytes()
    encoding = next(name for mark, name in _MARKS if content.startswith(mark))
    try:
        lines = content.decode(encoding).splitlines(keepends=True)
    except UnicodeDecodeError as cause:
        raise DataError(
            f"{path} is not a text in UTF-8 ({cause})", EXPECTED, "save it as CSV in UTF-8"
        ) from cause
    tables = {mark: _divide(lines, mark) for mark in DELIMITERS}
    fitting = {
        mark: rows
        for mark, rows in tables.items()
        if len({len(row.cells) for row in rows}) == 1 and len(rows[0].cells) > 1
    }
    if fitting:
        return max(fitting.values(), key=lambda rows: len(rows[0].cells))
    raise _no_delimiter(path, tables)


def _divide(lines: list[str], delimiter: str) -> list[Row]:
    """Divide lines into cells; a text that is no such table has no rows."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows = []
    try:
        for cells in reader:
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                rows.append(Row(reader.line_num, stripped))
    except csv.Error:
        return []
    return rows


def _no_delimiter(path: Path, tables: dict[str, list[Row]]) -> DataError:
    """Make the error for a table that no delimiter divides evenly."""
    delimiter, rows = max(
        tables.items(), key=lambda table: len(table[1][0].cells if table[1] else ())
    )
    if not rows:
        return DataError(f"{path} has no rows", EXPECTED, "write the table again")
    first = rows[0]
    odd = next((row for row in rows if len(row.cells) != len(first.cells)), None)
    if odd is None or len(first.cells) == 1:
        return DataError(
            f"{path} has one column: its first row is {' '.join(first.cells)[:60]}",
            f"{EXPECTED}, divided by {', '.join(DELIMITERS.values())}",
            "add a column with the label of each picture",
        )
    return DataError(
        f"divided by {DELIMITERS[delimiter]}, line {first.line} of {path} has {len(first.cells)} "
        f"cells, line {odd.line} has {len(odd.cells)}",
        EXPECTED,
        "put cells that contain the delimiter into double quotes, or mend the line",
    )
