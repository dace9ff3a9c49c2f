"""Results that show themselves in a notebook and at a prompt.

Numbers are made into text, tables and figures in report/, which stands below everything that is
shown. So its modules are imported by name, here and nowhere else, when something is shown.
"""

import importlib
import logging
import sys
from typing import Any, TypeVar

T = TypeVar("T")


def report(module: str) -> Any:
    """Import a module of `jaxnet.report` by its name."""
    return importlib.import_module(f"jaxnet.report.{module}")


def ipython_shell() -> Any:
    """Return the shell of IPython, or None; that of a notebook has an attribute `kernel`."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def shown(kind: type[T]) -> type[T]:
    """Give a class of results its text and its HTML, as `jaxnet.report.display` makes them.

    A display that fails raises nothing, since it would hide the result: the HTML is left out, so
    that a notebook shows the text, and the text is the name of the class.
    """
    for name, method in (("__repr__", _text), ("_repr_html_", _html)):
        setattr(kind, name, method)
    return kind


def _text(self: Any) -> str:
    name, summary = type(self).__name__, _made("summary", self)
    return f"<{name}>" if summary is None else f"<{name}: {summary}>"


def _html(self: Any) -> str | None:
    return _made("html", self)


def _made(function: str, result: Any) -> str | None:
    try:
        made: str = getattr(report("display"), function)(result)
    except Exception:
        logging.getLogger(__name__).debug("a display failed", exc_info=True)
        return None
    return made
