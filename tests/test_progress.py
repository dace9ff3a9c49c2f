"""Progress: what is shown where, and how far a loop is in words."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jaxnet.data.load import load_dataset
from jaxnet.data.stored import open_splits
from jaxnet.display import report
from jaxnet.evaluation.evaluate import evaluate
from jaxnet.progress import T, automatic, counting, show_progress
from jaxnet.report.progress import describe, in_time
from jaxnet.runs.repeat import repeat
from jaxnet.runs.train import resume, train
from jaxnet.settings import Settings


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The descriptions of the loops of which a terminal shows a bar."""
    described: list[str] = []

    def track(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        described.append(f"{description}: {total}")
        return sequence

    monkeypatch.setattr(report("console"), "show_progress", track)
    yield described
    show_progress(None)


def test_a_script_shows_a_bar_only_where_it_is_asked_for(shown: list[str]) -> None:
    assert list(automatic([1, 2], "reading", 2)) == [1, 2]
    assert shown == []
    show_progress()
    assert list(automatic([1, 2], "reading", 2)) == [1, 2]
    assert shown == ["reading: 2"]
    show_progress(False)
    assert list(automatic([1, 2], "reading", 2)) == [1, 2]
    assert shown == ["reading: 2"]


def test_a_number_that_is_reached_is_counted() -> None:
    counted: list[Any] = []

    def track(sequence: Iterable[T], description: str, total: float | None) -> Iterator[T]:
        counted.append((description, total))
        try:
            for item in sequence:
                counted.append(item)
                yield item
        finally:
            counted.append("ended")

    with counting(track, "training", 5) as reach:
        assert counted == [("training", 5), 0]  # 0 are done
        reach(2)
        assert counted[2:] == [1, 2]
        reach(3)
        assert counted[4:] == [3]
        reach(5)
        assert counted[5:] == [4, "ended"]
    counted.clear()

    def fail() -> None:
        with counting(track, "training", 5) as reach:
            reach(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert counted == [("training", 5), 0, 1, "ended"]


class Counter:
    """A `Track` that keeps what is reported: descriptions, totals, and how many items were done."""

    def __init__(self) -> None:
        self.loops: list[list[Any]] = []

    def __call__(self, sequence: Iterable[T], description: str, total: float | None) -> Iterator[T]:
        loop: list[Any] = [description, total, 0]
        self.loops.append(loop)
        for item in sequence:
            yield item
            loop[2] += 1


def test_a_training_reports_every_iteration(folder: Path, h5: Callable[..., Path]) -> None:
    count, settings = Counter(), Settings(iterations=5)
    data = load_dataset(folder, size=8, track=count)
    stopped = train(data, settings, track=count, chunk=2, hook=lambda run: len(run.costs) == 2)
    resume(stopped, data, track=count)
    repeat(train(data, settings), data, track=count)
    stored = open_splits(h5())
    run = train(stored["train"], Settings(batch=3, epochs=2), track=count)
    evaluate(run, stored, track=count)
    assert count.loops == [
        ["reading pictures", 12, 12],
        ["training", 5, 2],  # its hook stopped it
        ["training", 3, 3],
        ["training", 5, 5],
        ["training", 6, 6],
        ["predicting", 1, 1],
        ["predicting", 1, 1],
    ]


def test_how_far_a_loop_is_in_words() -> None:
    state = describe("reading <b>", 1, 4, 30.2)
    assert state["text/plain"] == "reading <b>: 1 of 4 in 30 s, 1 min 31 s left"
    assert '<progress value="0.2500"' in state["text/html"]
    assert "reading &lt;b&gt;: 1 of 4" in state["text/html"]
    assert describe("reading", 0, 4, 2.0)["text/plain"] == "reading: 0 of 4 in 2 s"
    assert describe("reading", 3, None, 2.0)["text/plain"] == "reading: 3 in 2 s"
    assert "<progress style" in describe("reading", 3, None, 2.0)["text/html"]
    ended = describe("reading", 4, 4, 61, ended=True)
    assert ended["text/html"] == "<div>reading: 4 of 4 in 1 min 1 s</div>"
    assert [in_time(t) for t in (0, 59.4, 3600 + 60 * 5)] == ["0 s", "59 s", "1 h 5 min"]
