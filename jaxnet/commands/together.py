"""`--distributed`: a command that several processes run together, and of which one speaks."""

import sys
from typing import Annotated

import typer

from jaxnet.commands.options import NETWORK
from jaxnet.report.console import err, out
from jaxnet.report.streams import keep_stdout_for_python

HELP = (
    "Share out the work over the processes that mpirun or srun has started with this command, on "
    "one machine or many."
)
Distributed = Annotated[bool, typer.Option("--distributed", help=HELP, rich_help_panel=NETWORK)]


def join(distributed: bool) -> bool:
    """Join the other processes; return whether this is the first one, or works alone.

    All but the first one are silent from then on.
    """
    if not distributed:
        return True
    from jaxnet.processes import is_first_process, join_processes, require_alike

    keep_stdout_for_python()
    join_processes()
    require_alike(options=sys.argv[1:])
    out.quiet = err.quiet = not is_first_process()
    return is_first_process()


def describe_processes(continuing: str) -> str:
    """Say how many processes share out the work, and what to do if one dies; "" for one.

    Args:
        continuing: The command that continues it.
    """
    from jaxnet.processes import process_count

    count = process_count()
    if count == 1:
        return ""
    return (
        f"Processes: {count}. If one dies, all end within a minute, some without a word; "
        f"{continuing} then goes on from the last save, with any number of processes.\n\n"
    )


def signal_of_any(signal: int | None) -> int | None:
    """Return the number of the signal that stopped this process or another one, if any."""
    from jaxnet.processes import gather

    return max(map(int, gather(str(signal or 0)))) or None
