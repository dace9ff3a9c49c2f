"""`jaxnet info`: what this installation is and has, for the report of a fault."""

from jaxnet.commands.options import Json
from jaxnet.report.console import out, print_json


def info(as_json: Json = False) -> None:
    """Show versions, devices and why these, memory and caches: paste it into a bug report."""
    from jaxnet.evaluation.installation import info as gather
    from jaxnet.report.installation import describe_info

    gathered = gather()
    if as_json:
        return print_json(gathered)
    for line in describe_info(gathered):
        out.print(line)
    return None
