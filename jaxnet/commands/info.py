"""`jaxnet info`: what this installation is and has, for the report of a fault."""

from typing import Annotated

import typer

from jaxnet.commands.options import OUTPUT, Json
from jaxnet.report.console import out, print_json, speak

CLEAR = "Remove the compiled programs that the commands have kept for the next ones."


def info(
    clear_cache: Annotated[
        bool, typer.Option("--clear-cache", help=CLEAR, rich_help_panel=OUTPUT)
    ] = False,
    as_json: Json = False,
) -> None:
    """Show versions, devices and why these, memory and caches: paste it into a bug report."""
    from jaxnet.compilation_cache import clear_programs
    from jaxnet.evaluation.installation import info as gather
    from jaxnet.report.installation import describe_clearing, describe_info

    if clear_cache:
        speak(as_json).print(describe_clearing(clear_programs()))
    gathered = gather()
    if as_json:
        return print_json(gathered)
    for line in describe_info(gathered):
        out.print(line)
    return None
