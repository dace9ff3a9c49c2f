"""The hook of a training on the command line: progress, checkpoints, interruption."""

import math
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from jaxnet.commands.interruption import Interruption
from jaxnet.report.console import make_bar

if TYPE_CHECKING:
    from jaxnet.runs.run import Run

# How much work is lost at most when a run is killed.
SECONDS_A_SAVE = 5.0

# Iterations between two calls of the hook.
MOST_A_CHUNK = 100


def chunk_between(checkpoint_every: int | None) -> int | None:
    """Compute a chunk that divides the iterations between two checkpoints into equal parts."""
    if checkpoint_every is None:
        return None
    return checkpoint_every // -(-checkpoint_every // MOST_A_CHUNK)


class Watch:
    """A hook that shows a bar, saves now and then, and stops the run after Ctrl-C or SIGTERM.

    Attributes:
        signal: The number of the signal that came, or None.
    """

    def __init__(
        self,
        description: str,
        iterations: int,
        folder: Path | None = None,
        checkpoint_every: int | None = None,
    ) -> None:
        self._interruption = Interruption()
        self._bar = make_bar(description, "cost {task.fields[cost]:.4f}")
        self._task = self._bar.add_task(description, total=iterations, cost=float("nan"))
        self._folder, self._every = folder, checkpoint_every
        # The first state is saved at once, so that a run that is killed early can be continued.
        self._saved_at, self._saved, self._last = -math.inf, 0, 0

    @property
    def signal(self) -> int | None:
        """The number of the signal that came, or None."""
        return self._interruption.signal

    def __enter__(self) -> "Watch":
        self._interruption.__enter__()
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        self._interruption.__exit__(kind, error, trace)

    def __call__(self, run: "Run") -> bool:
        """Show and save a run; return whether it is to stop."""
        made = len(run.costs)
        self._bar.update(self._task, completed=made, cost=float(run.costs[-1]))
        chunk, self._last = made - self._last, made
        age = time.monotonic() - self._saved_at
        due = made - self._saved + chunk > self._every if self._every else age > SECONDS_A_SAVE
        if due and self._folder is not None and run.outcome == "unfinished":
            run.save(self._folder, force=True)
            self._saved_at, self._saved = time.monotonic(), made
        return self.signal is not None
