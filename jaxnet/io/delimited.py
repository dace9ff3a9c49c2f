"""Read a table of texts (.csv, .tsv): its encoding, its delimiter, its rows."""

import csv
from pathlib import Path
from typing import NamedTuple

from jaxnet.errors import DataError
from jaxnet.io.files import reading, require_path

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
    with reading(path):
        content = path.read_bytes()
    encoding = next(name for mark, name in _MARKS if content.startswith(mark))
    try:
        lines = content.decode(encoding).splitlines(keepends=True)
    except UnicodeDecodeError as cause:
        raise DataError(
            f"{path} is not a text in UTF-8 ({cause})", EXPECTED, "save it as CSV in UTF-8"
        ) from cause
    tables = {mark: _divide(lines, mark) for mark in DELIMITERS}
    fitting = [table.rows for table in tables.values() if table.odd is None and not table.problem]
    fitting = [rows for rows in fitting if len(rows[0].cells) > 1]
    if fitting:
        return max(fitting, key=lambda rows: len(rows[0].cells))
    raise _no_delimiter(path, tables)


class _Table(NamedTuple):
    """Lines divided by one delimiter.

    Attributes:
        rows: The rows that are not empty.
        odd: The first row that has another number of cells than the first one, if there is one.
        problem: Why it cannot be divided further, with the line, or "".
    """

    rows: list[Row]
    odd: Row | None
    problem: str


def _divide(lines: list[str], delimiter: str) -> _Table:
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    rows: list[Row] = []
    problem = ""
    try:
        for cells in reader:
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                rows.append(Row(reader.line_num, stripped))
    except csv.Error as cause:
        problem = f"line {reader.line_num} of {{}} cannot be read ({cause})"
    if not rows:
        problem = problem or "{} has no rows"
    odd = next((row for row in rows if len(row.cells) != len(rows[0].cells)), None)
    return _Table(rows, odd, problem)


def _no_delimiter(path: Path, tables: dict[str, _Table]) -> DataError:
    """Make the error for a table that no delimiter divides evenly."""
    delimiter, (rows, odd, problem) = max(
        tables.items(), key=lambda table: [len(row.cells) for row in table[1].rows[:1]]
    )
    if problem:
        return DataError(
            problem.replace("{}", str(path)),
            EXPECTED,
            "mend the line; a quote within a quoted cell is doubled"
            if rows
            else "write the table again",
        )
    first = rows[0]
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
