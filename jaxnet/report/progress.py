"""The progress bar of a notebook: an output of the cell, replaced now and then.

It is a `<progress>` element, sent as IPython's displays are, so that it needs no widgets and no
script: it is the same in Jupyter, JupyterLab, VS Code and Colab, and in a saved notebook its last
state, one line, remains.
"""

import contextlib
import contextvars
import html
import threading
import time
from collections.abc import Iterable, Iterator

from jaxnet.progress import T

PATIENCE = 2.0  # seconds until a bar appears
EVERY = 0.5  # seconds between two states of it


def track(sequence: Iterable[T], description: str, total: float | None) -> Iterator[T]:
    """Yield the items with a bar below the cell, which appears after two seconds (a `Track`)."""
    bar = _Bar(description, total)
    with bar.running():
        for item in sequence:
            yield item
            bar.done += 1


class _Bar:
    """A bar that a thread draws, since one item may take long; the loop only counts."""

    def __init__(self, description: str, total: float | None) -> None:
        self.done = 0
        self._description, self._total = description, total
        self._began, self._ended = time.monotonic(), threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Draw until the loop ends, or the cell: a loop that is interrupted may end later."""
        from IPython import get_ipython

        # In the context of the cell, to which its outputs belong.
        context = contextvars.copy_context()
        drawing = threading.Thread(target=context.run, args=(self._draw,), daemon=True)

        def end(result: object = None) -> None:
            self._ended.set()
            drawing.join()

        events = get_ipython().events
        events.register("post_run_cell", end)
        drawing.start()
        try:
            yield
        finally:
            end()
            with contextlib.suppress(ValueError):  # it is registered no more
                events.unregister("post_run_cell", end)

    def _draw(self) -> None:
        from IPython.display import display

        if self._ended.wait(PATIENCE):
            return
        handle = display(self._state(), raw=True, display_id=True)
        while not self._ended.wait(EVERY):
            handle.update(self._state(), raw=True)
        handle.update(self._state(), raw=True)

    def _state(self) -> dict[str, str]:
        seconds, ended = time.monotonic() - self._began, self._ended.is_set()
        return describe(self._description, self.done, self._total, seconds, ended=ended)


def describe(
    description: str, done: int, total: float | None, seconds: float, *, ended: bool = False
) -> dict[str, str]:
    """Describe how far a loop is, by MIME type.

    Args:
        description: What it does.
        done: The items that are done.
        total: Of how many, if that is known.
        seconds: Since when it runs.
        ended: Whether it has ended, finished or not.
    """
    counted = f"{done:,}" + (f" of {total:,.0f}" if total else "")
    line, bar = f"{description}: {counted} in {in_time(seconds)}", ""
    if not ended:
        value = f' value="{done / total:.4f}"' if total else ""
        bar = f"<progress{value} style='width: 12em; vertical-align: middle'></progress> "
        if total and done:
            line += f", {in_time(seconds * (total - done) / done)} left"
    return {"text/plain": line, "text/html": f"<div>{bar}{html.escape(line)}</div>"}


def in_time(seconds: float) -> str:
    """Write a time as "12 s", "3 min 20 s" or "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
