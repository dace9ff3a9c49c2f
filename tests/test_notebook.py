"""A notebook in a real kernel: what its cells show."""

import re
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PICTURES = """
import numpy as np
import jaxnet
from jaxnet.data.dataset import Dataset, Split

images = np.random.default_rng(0).integers(0, 256, (12, 8, 6, 3), dtype=np.uint8)
jaxnet.show_progress(False)
split = Split(images, np.arange(12) % 2)
data = Dataset(split, split, ("no", "<b>yes</b>"))
data
"""

PROGRESS = """
import time
from jaxnet.progress import automatic
from jaxnet.report import progress

jaxnet.show_progress(None)  # as at the start
progress.PATIENCE, progress.EVERY = 0, 0.05
for _ in automatic(range(3), "waiting", 3):
    time.sleep(0.1)
"""

INTERRUPTED = """
def compute():
    loop = automatic(range(9), "interrupted", 9)  # which the traceback keeps
    for i in loop:
        time.sleep(0.1)
        if i == 2:
            raise ValueError("by its cell")

compute()
"""

OFF = """
jaxnet.show_progress(False)
for _ in automatic(range(3), "waiting", 3):
    time.sleep(0.1)
"""

PANEL = """
import matplotlib.pyplot as plt

figure, axes = plt.subplots()
jaxnet.plot_costs(run, ax=axes)
"""

WRONG = """
def rate():
    return jaxnet.Settings(learning_rate=-1)

rate()
"""

CELLS = {
    "a data set": PICTURES,
    "a run": "run = jaxnet.train(data, jaxnet.Settings(iterations=2))\nrun",
    "a figure": "jaxnet.plot_costs(run)",
    "progress": PROGRESS,
    "interrupted": INTERRUPTED,
    "off": OFF,
    "a panel": PANEL,
    "a figure beside pyplot": "jaxnet.plot_costs(run)",
    "a page": "run.show(data)",
    "wrong": WRONG,
    "plainly": "%tb Plain",
    "another error": "1 / 0",
}


@pytest.fixture(scope="module")
def outputs() -> dict[str, list[Any]]:
    """The outputs of each cell."""
    import nbclient
    import nbformat

    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.execute(notebook, timeout=120, kernel_name="python3", allow_errors=True)
    return {name: cell.outputs for name, cell in zip(CELLS, cells, strict=True)}


def data_of(outputs: list[Any]) -> dict[str, str]:
    """Return the only output of a cell, by its MIME types."""
    (output,) = outputs
    data: dict[str, str] = output.data
    return data


def test_results_show_themselves(outputs: dict[str, list[Any]]) -> None:
    dataset, run = (data_of(outputs[name]) for name in ("a data set", "a run"))
    assert set(dataset) == set(run) == {"text/plain", "text/html"}
    assert dataset["text/plain"].startswith("<Dataset: train 12 = 6 'no' + 6 '<b>yes</b>'")
    assert "&lt;b&gt;yes&lt;/b&gt;, 6 (50.0%)" in dataset["text/html"]
    assert run["text/plain"].startswith("<Run: 2 iterations in ")
    assert run["text/html"].count("<img ") == 1 + 8  # the curve, the hidden units


def test_a_figure_is_shown_once(outputs: dict[str, list[Any]]) -> None:
    for name in ("a figure", "a panel", "a figure beside pyplot"):
        assert set(data_of(outputs[name])) == {"text/plain", "image/png"}, name


def test_the_page_is_a_frame(outputs: dict[str, list[Any]]) -> None:
    page = data_of(outputs["a page"])
    assert page["text/html"].startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert "a notebook shows it" in page["text/plain"]


def test_progress_is_one_output_that_ends_as_one_line(outputs: dict[str, list[Any]]) -> None:
    progress = data_of(outputs["progress"])
    assert set(progress) == {"text/plain", "text/html"}
    assert re.fullmatch(r"waiting: 3 of 3 in \d+ s", progress["text/plain"])
    assert progress["text/html"] == f"<div>{progress['text/plain']}</div>"
    bar, error = outputs["interrupted"]
    assert re.fullmatch(r"<div>interrupted: 2 of 9 in \d+ s</div>", bar.data["text/html"])
    assert error.ename == "ValueError"
    assert outputs["off"] == []


def test_an_error_of_jaxnet_is_its_message_and_the_line_of_the_cell(
    outputs: dict[str, list[Any]],
) -> None:
    (wrong,), (plainly,), (other,) = (outputs[n] for n in ("wrong", "plainly", "another error"))
    assert wrong.traceback == [
        "UsageError: learning_rate is -1",
        "  expected: a finite number, 0 or more",
        "  to do:    give such a learning_rate",
        "  line 2:   return jaxnet.Settings(learning_rate=-1)",
        "%tb Plain prints where in jaxnet it was raised",
    ]
    assert wrong.ename == plainly.ename == "UsageError"
    assert "require_number" in "".join(plainly.traceback)
    assert "Traceback" in "".join(other.traceback)
