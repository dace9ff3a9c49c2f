"""The process of its own in which a handed-in file runs: `python -m jaxnet.evaluation.tutor.child`.

It gets the task on standard input, and writes what the function returned, as JSON, to the file
descriptor that its argument names. It imports neither the formulas nor JAX, unless the file does.
"""

import importlib.util
import inspect
import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxnet.errors import JaxnetError
from jaxnet.evaluation.tutor.calling import PARTS, Called, call_all, describe_error


def main() -> None:
    """Read the task, set the limits, call the function on every problem, and answer."""
    task = pickle.load(sys.stdin.buffer)  # from the process that started this one
    answer = int(sys.argv[1])
    sys.stdin = open(os.devnull)  # noqa: SIM115  (until the end)
    path = task["path"]
    _limit(task["seconds"], task["memory"])
    try:
        function = _load(path, task["function"], task["part"])
        if task["activation"]:
            for letters in task["problems"]:
                letters["hidden"] = _Hidden(task["activation"])
        called = call_all(function, task["part"], task["problems"])
        reply: dict[str, Any] = {"called": [_as_plain(result) for result in called]}
    except JaxnetError as error:
        reply = {"refused": [error.found, error.expected, error.remedy]}
    except (Exception, SystemExit) as cause:
        reply = {"failed": describe_error(cause, path, task["part"])._asdict()}
    sys.stdout.flush()
    data = memoryview(json.dumps(reply).encode())
    while data:
        data = data[os.write(answer, data) :]
    os._exit(0)  # without what the file has registered for the end


def _as_plain(result: Called) -> list[Any]:
    values = {
        name: [str(value.dtype), value.shape, value.ravel().tolist()]
        for name, value in result.values.items()
    }
    raised = result.raised and result.raised._asdict()
    return [values, result.flat, result.changed, result.blanks, raised]


class _Hidden:
    """An activation of jaxnet, which is imported when it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        from jaxnet.activations import ACTIVATIONS

        return getattr(ACTIVATIONS[self._name], attribute)

    def __call__(self, Z: Any) -> Any:
        return self.function(Z)


def _limit(seconds: int, memory: int) -> None:
    """Limit processor time, memory, and the size of files that are written to 0."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _load(path: str, name: str | None, part: str) -> Callable[..., Any]:
    """Import a file, and find the function in it."""
    sys.path.insert(0, str(Path(path).parent))
    specification = importlib.util.spec_from_file_location("handed_in", path)
    if specification is None or specification.loader is None:
        raise JaxnetError(
            f"{path} is no file of Python", "a file whose name ends in .py", "name it"
        )
    module = importlib.util.module_from_spec(specification)
    sys.modules["handed_in"] = module
    specification.loader.exec_module(module)
    own = {
        key: value
        for key, value in vars(module).items()
        if callable(value)
        and not inspect.isclass(value)
        and getattr(value, "__module__", "") in ("handed_in", None)
    }
    if name is not None:
        found = getattr(module, name, None)
    else:
        usual = [
            key for key in own if key.replace("_", "").lower().startswith(PARTS[part].names)
        ] or list(own)
        found = own[usual[0]] if len(usual) == 1 else None
    if callable(found):
        return found
    listed = ", ".join(own) or "no function"
    raise JaxnetError(
        f"{Path(path).name} holds {listed}" + (f", and no function {name}" if name else ""),
        f"a function {name}" if name else f"one function that is named {PARTS[part].names[0]}",
        f"name it behind a colon: {Path(path).name}:{next(iter(own), 'mine')}",
    )


if __name__ == "__main__":
    main()
