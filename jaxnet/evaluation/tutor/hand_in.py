"""Files that were handed in, each in a process of its own with limits."""

import contextlib
import json
import os
import pickle
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_activation
from jaxnet.errors import UsageError, require_choice, require_integer
from jaxnet.evaluation.tutor.calling import PARTS, Called, Letters, Raised
from jaxnet.evaluation.tutor.check import Tutoring, offer, tutor

SECONDS, MEMORY = 20, 3072  # the default limits: processor seconds, MiB of address space
PRINTED_AT_MOST = 2**16  # bytes
ANSWER_AT_MOST = 2**22


class HandIn(NamedTuple):
    """What came of a file that was handed in.

    Attributes:
        path: The file, with the function behind a colon if one was named.
        ended: "judged"; or why not: "time", "memory", "output", "exit", "file", "signal", "raised"
            (while it was imported) or "refused" (it holds no such function).
        result: What is wrong in the function, if it was judged.
        raised: The error, if there was one.
        refused: What was found, expected and to do, if it was refused.
    """

    path: str
    ended: str
    result: Tutoring | None = None
    raised: Raised | None = None
    refused: tuple[str, str, str] | None = None


class _EndedError(Exception):
    """The process ended without the results of the function."""

    def __init__(self, ended: str, **more: Any) -> None:
        super().__init__(ended)
        self.ended, self.more = ended, more


def check_file(
    path: str | Path,
    part: str = "backprop",
    hidden: Activation = relu,
    *,
    seconds: int = SECONDS,
    memory: int = MEMORY,
) -> HandIn:
    """Check the function in a file, in a process of its own with limits.

    The process gets the arrays and sends back what the function returns; it is judged here. This
    protects from mistakes, not from malice: the file runs with the rights of the user, and can
    read and delete files and open connections.

    Args:
        path: The file, "mine.py" or "mine.py:function".
        part: "backprop", "forward", "loss", "update" or "training".
        hidden: The activation of the hidden units, one of `ACTIVATIONS`.
        seconds: Of the processor; twice as many on the clock.
        memory: Address space in MiB.

    Raises:
        UsageError: If there is no such file, or the system has no such limits.
    """
    require_choice("part", part, PARTS)
    check_activation(hidden)
    require_integer("seconds", seconds, 1, 3600)
    require_integer("memory", memory, 256, 2**20)
    if os.name != "posix":
        raise UsageError(
            "this system has no limits on the memory and time of a process",
            "Linux or macOS",
            "give the function to check_backprop, which calls it in this process",
        )
    file, _, name = str(path).partition(".py:")
    where = Path(file + ".py" if name else file).absolute()
    if not where.is_file():
        raise UsageError(f"{where} is no file", "a file of Python", "check the name and the folder")
    task = {
        "path": str(where),
        "function": name or None,
        "part": part,
        "activation": hidden.name,
        "seconds": int(seconds),
        "memory": int(memory) * 2**20,
    }

    def calls(problems: list[Letters]) -> list[Called]:
        offered = [offer(letters, None) for letters in problems]
        return _run(task | {"problems": offered})

    try:
        result = tutor(part, hidden, calls)
    except _EndedError as end:
        return HandIn(str(path), end.ended, **end.more)
    if result.raised is not None and result.raised.limit is not None:
        return HandIn(str(path), result.raised.limit, raised=result.raised)
    return HandIn(str(path), "judged", result)


def _run(task: dict[str, Any]) -> list[Called]:
    """Run the process, and return what the function returned on each problem."""
    reply = _answer(task)
    if "refused" in reply:
        raise _EndedError("refused", refused=tuple(reply["refused"]))
    if "failed" in reply:
        raised = Raised(**reply["failed"])
        raise _EndedError(raised.limit or "raised", raised=raised)
    return [
        Called(
            {
                name: np.array(numbers, dtype).reshape(shape)
                for name, (dtype, shape, numbers) in values.items()
            },
            tuple(flat),
            tuple(changed),
            tuple(blanks),
            Raised(**raised) if raised else None,
        )
        for values, flat, changed, blanks, raised in reply["called"]
    ]


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="jaxnet-tutor-") as folder:
        reading, writing = os.pipe()
        environment = {
            name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL")
        }
        environment |= {
            "HOME": folder,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
            "OPENBLAS_NUM_THREADS": "1",
            "JAX_PLATFORMS": "cpu",
            "JAX_ENABLE_X64": "1",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "jaxnet.evaluation.tutor.child", str(writing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            cwd=folder,
            env=environment,
            start_new_session=True,
        ) as process:
            os.close(writing)
            try:
                return _listen(process, reading, task)
            finally:
                os.close(reading)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with all that it has started


def _listen(process: "subprocess.Popen[bytes]", reading: int, task: dict[str, Any]) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(pickle.dumps(task))
        process.stdin.close()
    except BrokenPipeError:
        pass
    printed, answer = 0, b""
    end = time.monotonic() + 2 * task["seconds"]
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(reading, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, min(end - time.monotonic(), 0.2)))
            for key, _ in ready:
                part = os.read(key.fd, 2**16)
                if not part:
                    selector.unregister(key.fileobj)
                elif key.fd == reading:
                    answer += part
                else:
                    printed += len(part)
            if printed > PRINTED_AT_MOST or len(answer) > ANSWER_AT_MOST:
                raise _EndedError("output")
            if time.monotonic() >= end:
                raise _EndedError("time")
            if not ready and process.poll() is not None:
                break  # what it started may still hold the pipes
    try:
        code = process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _EndedError("time") from None
    try:
        return json.loads(answer)
    except ValueError:
        ended = {-signal.SIGXCPU: "time", -signal.SIGKILL: "time"}
        raise _EndedError(ended.get(code, "exit" if code >= 0 else "signal")) from None
