"""The page of a run in a frame of a notebook, in a file, and in the browser."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pages import make_dataset, make_run, train_again

from jaxnet.data.load import load_dataset
from jaxnet.errors import UsageError
from jaxnet.report.page.build import write_page
from jaxnet.runs.page import Page
from jaxnet.runs.run import load_data_for
from jaxnet.runs.train import train
from jaxnet.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def page() -> Page:
    return make_run().show(make_dataset(), height=500)


def test_the_page_trains_in_the_frame_of_a_cell(page: Page, chromium: "Browser") -> None:
    events: list[str] = []
    context = chromium.new_context()
    notebook = context.new_page()
    notebook.on("pageerror", lambda error: events.append(str(error)))
    notebook.on("console", lambda message: events.append(message.text))
    notebook.set_content(f"<!doctype html><p>a cell</p>{page._repr_html_()}")
    _, frame = notebook.frames
    frame.wait_for_selector("html[data-ready]", timeout=10_000)
    costs = frame.evaluate("jaxnet.step(100).train.costs")
    expected = train_again(make_run(), make_dataset(), 100).costs
    np.testing.assert_allclose(costs[:100], expected, rtol=0, atol=1e-9)
    frame.get_by_role("button", name="Play", exact=True).click()  # a worker takes the steps
    for _ in range(400):
        if frame.evaluate("jaxnet.state().iteration") > 150:
            break
        notebook.wait_for_timeout(25)
    assert frame.evaluate("jaxnet.state().iteration") > 150
    assert frame.evaluate("location.hash.includes('t=')")  # its state is in its own address
    assert events == []
    context.close()


def test_the_frame_is_shut_off_from_the_notebook(page: Page) -> None:
    start = page._repr_html_().partition(" sandbox=")
    assert start[2].startswith('"allow-scripts" width="100%" height="500"')
    assert "<" not in start[0].removeprefix("<iframe")


def test_the_page_is_saved_and_opened(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    write_page(tmp_path / "expected.html", make_run(), make_dataset())
    expected = (tmp_path / "expected.html").read_bytes()
    assert page.save(tmp_path / "saved.html").read_bytes() == expected
    path = page.open()
    assert opened == [path.as_uri()]
    assert path.read_bytes() == expected
    size = f"{len(expected) / 1e6:.1f} MB"
    assert repr(page) == (
        f"<Page: {size}; a notebook shows it, save(path) writes it, and open() opens it in the "
        "browser>"
    )


def test_the_data_are_loaded_anew_or_given(folder: Path) -> None:
    data = load_dataset(folder, size=8)
    run = train(data, Settings(iterations=1))
    assert run.show() == run.show(load_data_for(run))
    assert len(run.show(pictures=False).content) < len(run.show().content)
    with pytest.raises(UsageError, match="does not record on which data"):
        make_run().show()
    with pytest.raises(UsageError, match="data is of type str"):
        run.show("pets")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="height is 5"):
        run.show(data, height=5)
