"""What a finished run has in its folder beside the model file: its figure and its page."""

from pathlib import Path

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.io.names import MODEL_NAME
from jaxnet.outcomes import entropy_of_labels
from jaxnet.report.figures.save import save_figure
from jaxnet.report.figures.training import plot_training
from jaxnet.report.page.build import PAGE_NAME, Written, write_page
from jaxnet.runs.run import Run

FIGURE_NAME = "training.png"

# The page of larger pictures would be dozens of megabytes: 128 × 128 in colour.
MOST_PAGE_VALUES = 128 * 128 * 3


def missing_outputs(folder: Path, run: Run, *, page: bool = True) -> list[str]:
    """List the outputs that a run does not have in its folder yet.

    One that is older than the model file, which is written first, is missing too: the run was
    continued, and killed before its outputs were made anew.
    """
    names = [MODEL_NAME, FIGURE_NAME, *([PAGE_NAME] if page and fits_page(run) else [])]
    written = {n: (folder / n).stat().st_mtime_ns for n in names if (folder / n).exists()}
    saved = written.get(MODEL_NAME, 0)
    return [name for name in names if written.get(name, -1) < saved]


def fits_page(run: Run) -> bool:
    """Say whether the pictures of a run are small enough for a page that is written unasked."""
    return 3 * run.preprocessing.height * run.preprocessing.width <= MOST_PAGE_VALUES


def write_outputs(folder: Path, run: Run, dataset: Dataset, *, page: bool = True) -> list[str]:
    """Write figure and page of a run that was just trained; return a line for each.

    Args:
        folder: The folder of the run.
        run: The run, with its examples.
        dataset: Its pictures.
        page: Whether to write the page, if the pictures are small enough.
    """
    lines = write_figure(folder, run, dataset.train.labels)
    if not page:
        return lines
    if not fits_page(run):
        return [
            *lines,
            f"{PAGE_NAME} is not written for such large pictures; jaxnet page {folder} writes it",
        ]
    written = write_page(folder / PAGE_NAME, run, dataset)
    return lines + describe_page(folder / PAGE_NAME, written)


def write_figure(folder: Path, run: Run, labels: np.ndarray) -> list[str]:
    """Write the figure of a run with training labels (m,); return a line for each file it has."""
    settings = run.settings
    rate = "" if settings is None else f" at learning rate {settings.learning_rate:g}"
    name = run.data_source.data if run.data_source else str(run.origin["source"])
    title = f"{name}: {len(run.costs):,} iterations{rate}, {run.outcome}"
    balanced = settings is not None and settings.balanced
    entropy = entropy_of_labels(labels, balanced=balanced)
    figure = plot_training(run, label_entropy=entropy, title=title)
    save_figure(figure, folder / FIGURE_NAME)
    return [f"written: {folder / MODEL_NAME}", f"written: {folder / FIGURE_NAME}"]


def describe_page(path: Path, written: Written) -> list[str]:
    """Say what was written, and what is to be known about it, a line each."""
    lines = [f"written: {path} ({written.size / 1e6:.1f} MB)"]
    if written.shown < written.of:
        lines.append(
            f"the page trains on a sample of {written.shown} of the {written.of:,} pictures, with "
            "the same share of each class, so its numbers differ from those of the run"
        )
    if written.pictures:
        lines.append(
            "the page contains the pictures: share it only if you may share them "
            f"(jaxnet page {path.parent} --no-pictures leaves them out)"
        )
    return lines
