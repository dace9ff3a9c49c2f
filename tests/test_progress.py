"""Progress: what is shown where, and how far a loop is in words."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from jaxnet.display import report
from jaxnet.progress import T, automatic, counting, show_progress
from jaxnet.report.progress import describe, in_time


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
        reach(5)
        assert counted[4:] == [3, 4, "ended"]
    counted.clear()

    def fail() -> None:
        with counting(track, "training", 5) as reach:
            reach(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert counted == [("training", 5), 0, 1, "ended"]


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
