"""Figures as files."""

from pathlib import Path

from matplotlib.figure import Figure

from jaxnet.io.files import write_whole


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG, whole or not at all."""
    with write_whole(path) as temporary:
        # Pictures of weights are noise: zlib's default level takes twice as long to save a tenth.
        figure.savefig(temporary, format="png", dpi=120, pil_kwargs={"compress_level": 3})
