"""Standard streams that are closed, of another encoding, or that nobody reads any more."""

import logging
import os
import sys
from typing import Any

from rich.console import Console


class SteadyConsole(Console):
    """A console that goes on without output when its reader has ended (`| head`)."""

    def on_broken_pipe(self) -> None:
        """Send all further output nowhere, so that a training is not lost for its table."""
        stream = sys.stderr if self.stderr else sys.stdout
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def keep_stdout_for_python() -> None:
    """Send to stderr what libraries in C++ print to stdout, where a program reads the answer."""
    if sys.stdout is None:
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = open(  # noqa: SIM115  # for as long as the process runs
        kept, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors
    )


def steady_streams() -> None:
    """Prepare stdout and stderr, whatever they are, before a file is opened or text is printed.

    The number of a stream that is closed (`>&-`, pythonw, a daemon) is taken. It would otherwise
    go to the next file that is opened, into which XLA and HDF5 would then write their messages. A
    symbol that the encoding of a terminal lacks is replaced.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)  # None, if it is closed; nothing is printed then
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # Of a home folder that is read-only, matplotlib warns in two lines, and works.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
