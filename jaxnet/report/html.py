"""Parts of HTML that a notebook shows: text, tables, pictures, figures.

Styles stand in the elements, and pictures in their addresses, since notebooks that are shared are
shown without style sheets, scripts and inline SVG. Colours are those of the notebook's theme. All
text is escaped.
"""

import base64
import html
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rich.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 64  # of a picture, in CSS pixels, and at most in its file
SMALL = 32  # pictures up to this side are stored without loss, and shown with sharp pixels

_CELL = (
    "padding: .15em .6em; border-bottom: 1px solid rgba(128, 128, 128, 0.3); text-align: {}; "
    "white-space: nowrap"
)


def paragraph(text: object, *, bold: bool = False, faint: bool = False) -> str:
    """Make a line of text."""
    style = "margin: .3em 0; white-space: pre-line; overflow-wrap: anywhere"
    style += "; font-weight: bold" * bold + "; opacity: 0.75" * faint
    return f'<div style="{style}">{html.escape(str(text))}</div>'


def listed(lines: Iterable[object]) -> str:
    """Make a list of sentences."""
    items = "".join(f'<li style="margin: .2em 0">{html.escape(str(line))}</li>' for line in lines)
    return f'<ul style="margin: .3em 0; padding-left: 1.4em">{items}</ul>'


def folded(title: str, parts: Iterable[str]) -> str:
    """Make what is shown after a click."""
    return f"<details><summary>{html.escape(title)}</summary>{''.join(parts)}</details>"


def table(shown: Table) -> str:
    """Make a table of one of rich's; where it is too wide, it scrolls."""
    columns = shown.columns
    sides = ["right" if column.justify == "right" else "left" for column in columns]

    def row(kind: str, cells: Iterable[object]) -> str:
        made = (
            f'<{kind} style="{_CELL.format(side)}">{html.escape(str(cell))}</{kind}>'
            for side, cell in zip(sides, cells, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"

    head = row("th", (column.header for column in columns))
    body = "".join(row("td", cells) for cells in zip(*(c.cells for c in columns), strict=True))
    title = "" if shown.title is None else paragraph(shown.title, bold=True)
    return (
        f'{title}<div style="overflow-x: auto"><table style="border-collapse: collapse; '
        f'margin: .3em 0"><thead>{head}</thead><tbody>{body}</tbody></table></div>'
    )


def swatches(meanings: Iterable[tuple[str, str]]) -> str:
    """Make a legend of colours, as CSS names them, with the meaning of each."""
    square = "display: inline-block; width: .8em; height: .8em; border: 1px solid gray"
    made = (
        '<div style="display: inline-block; margin-right: 1.2em">'
        f'<div style="{square}; background: {color}"></div> {html.escape(text)}</div>'
        for color, text in meanings
    )
    return f"<div>{''.join(made)}</div>"


def pictures(images: Iterable[np.ndarray], captions: Iterable[str], *, shown: bool = False) -> str:
    """Make a row of pictures, which breaks where it is too wide.

    Args:
        images: Each (h, w, 3) uint8.
        captions: A text for each, which appears under the pointer.
        shown: Whether it stands below the picture as well.
    """
    made = []
    for image, caption in zip(images, captions, strict=True):
        text = html.escape(caption)
        below = f'<div style="font-size: 85%">{text}</div>' if shown else ""
        made.append(
            '<div style="display: inline-block; margin: 2px; text-align: center; '
            f'vertical-align: top">{_picture(image, text)}{below}</div>'
        )
    return f"<div>{''.join(made)}</div>"


def _picture(image: np.ndarray, text: str) -> str:
    made = Image.fromarray(image)
    style = f"width: {SIDE}px; height: {SIDE}px; object-fit: contain; margin: 0"
    file = io.BytesIO()
    if max(made.size) <= SMALL:
        made.save(file, "PNG")
        kind, style = "png", style + "; image-rendering: pixelated"
    else:
        made.thumbnail((SIDE, SIDE))
        made.save(file, "JPEG", quality=85, subsampling=0)
        kind = "jpeg"
    return (
        f'<img src="{_address(kind, file.getvalue())}" alt="{text}" title="{text}" style="{style}">'
    )


def figure(drawn: "Figure", width: int, text: str) -> str:
    """Make the picture of a figure, so many CSS pixels wide or less; `text` is read aloud."""
    file = io.BytesIO()
    dots = 2 * width / drawn.get_figwidth()  # twice as fine, for fine displays
    drawn.savefig(file, format="png", dpi=dots, transparent=True)
    return (
        f'<img src="{_address("png", file.getvalue())}" alt="{html.escape(text)}" '
        f'style="width: {width}px; max-width: 100%; height: auto">'
    )


def _address(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
