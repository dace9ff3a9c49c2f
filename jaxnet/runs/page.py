"""`Page`: the interactive page of a run, in a cell of a notebook, in a file, or in the browser."""

import dataclasses
import html
import tempfile
import webbrowser
from pathlib import Path

from jaxnet.io.files import expand, write_whole


@dataclasses.dataclass(frozen=True, repr=False)
class Page:
    """The page of a run, which trains its network in the browser.

    A notebook shows it in a frame that runs its scripts, and can reach neither the notebook nor
    the network.

    Attributes:
        content: The page, one file of HTML.
        height: Of the frame, in pixels.
    """

    content: str
    height: int

    def save(self, path: str | Path) -> Path:
        """Write the page into a file, whole or not at all; return its path."""
        path = expand(path)
        with write_whole(path) as temporary:
            temporary.write_text(self.content, encoding="utf-8")
        return path

    def open(self) -> Path:
        """Open the page in the browser, from a file for this purpose; return its path."""
        path = self.save(Path(tempfile.mkdtemp(prefix="jaxnet-")) / "page.html")
        webbrowser.open(path.absolute().as_uri())
        return path

    def __repr__(self) -> str:
        size = len(self.content.encode()) / 1e6
        return (
            f"<Page: {size:.1f} MB; a notebook shows it, save(path) writes it, and open() opens it "
            "in the browser>"
        )

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.content)}" sandbox="allow-scripts" width="100%" '
            f'height="{self.height}" title="the network learning" '
            'style="border: 1px solid rgba(128, 128, 128, 0.4)"></iframe>'
        )
