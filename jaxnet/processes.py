"""Several processes that train together, on one machine or on many: joined by one call.

JAX's own runtime does it: under mpirun, under srun and in TPU pods it finds the other processes by
itself; it watches their heartbeats, and ends all if one dies. What the processes tell each other
here are short texts in its key-value store, which takes no device and may wait for long.
"""

import atexit
import base64
import contextlib
import contextvars
import hashlib
import itertools
import json
import os
import pickle
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax._src.distributed import global_state  # jax.distributed has no waiting and no telling

from jaxnet.errors import JaxnetError, UsageError, require_integer

# A process counts as dead after so many seconds without a sign of life; then JAX ends the others.
HEARTBEAT_SECONDS = 30

# The others may have much to do yet: a process that dies meanwhile is noticed all the same.
WAITING_SECONDS = 10 * 24 * 3600

# How long a process that ends leaves another one to print why.
PATIENCE_SECONDS = 0.5

# A text that is longer is told in pieces.
LONGEST_TEXT = 1_000_000

T = TypeVar("T")

_calls = itertools.count()
_joined = threading.Event()
_alone = contextvars.ContextVar("alone", default=False)


def join_processes(
    coordinator: str | None = None,
    processes: int | None = None,
    index: int | None = None,
    *,
    timeout: int = 60,
) -> None:
    """Join the processes of one training or sweep; call it before the first use of JAX.

    Every process runs the same program, and calls jaxnet's functions in the same order with the
    same arguments: `train`, `resume`, `repeat`, `fit`, `train_seeds`, `sweep` and `cross_validate`
    then share out their work. What only one process is to do stands in `if is_first_process():`,
    and within `with alone():` if it calls such a function.

    If a process dies, JAX ends all others within a minute, mostly without an exception in Python.
    Start them again, and continue from what was saved.

    Args:
        coordinator: The address "host:port" of the first process; under mpirun, srun and in TPU
            pods JAX finds it, and the two numbers below.
        processes: How many there are.
        index: The number of this process, from 0 on.
        timeout: How many seconds the processes may take until all have started.

    Raises:
        UsageError: If JAX is in use already, no launcher and no address says which processes there
            are, or not all of them come together in time.
    """
    require_integer("timeout", timeout, 1, 24 * 3600)
    for name, value, least in (("processes", processes, 1), ("index", index, 0)):
        if value is not None:
            require_integer(name, value, least)
    if coordinator is not None and not _is_address(coordinator):
        raise UsageError(
            f"coordinator is {coordinator!r}",
            "the address of the first process, host:port",
            'write "node1:12345", say, with a port that is free there',
        )
    # Its handler in C++ would take SIGTERM away from whoever wants to end this process.
    jax.config.update("jax_enable_preemption_service", False)
    failures: list[Exception] = []

    def initialize() -> None:
        try:
            jax.distributed.initialize(
                coordinator,
                processes,
                index,
                # JAX would end the process from C++: the wait below ends before, with an error.
                initialization_timeout=timeout + 3600,
                heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
                shutdown_timeout_seconds=WAITING_SECONDS,
            )
        except Exception as cause:
            failures.append(cause)

    thread = threading.Thread(target=initialize, daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise _not_together(timeout)
    if failures:
        raise _not_joined(failures[0]) from failures[0]
    _joined.set()
    atexit.register(_end_at_once_after_an_exception)


def process_count() -> int:
    """Return how many processes work together; 1 unless `join_processes` was called."""
    together = jax.distributed.is_initialized() and not _alone.get()
    return global_state.num_processes if together else 1


def process_index() -> int:
    """Return the number of this process among those that work together, from 0 on."""
    return global_state.process_id if jax.distributed.is_initialized() else 0


def is_first_process() -> bool:
    """Return whether this is the process that prints and saves; true of a single one."""
    return process_index() == 0


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Compute within a `with` block in this process alone, whatever the others do meanwhile."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def gather(text: str) -> list[str]:
    """Tell all processes a short text, and return those of all, in the order of their numbers.

    It waits until every process has called it.
    """
    count, index = process_count(), process_index()
    if count == 1:
        return [text]
    call, client = next(_calls), _client()
    client.key_value_set(f"jaxnet/{call}/{index:09}", text)
    client.wait_at_barrier(f"jaxnet/{call}", WAITING_SECONDS * 1000)
    told = sorted(client.key_value_dir_get(f"jaxnet/{call}/"))
    # All have read the texts of the call before, or they would not have come to this one.
    client.key_value_delete(f"jaxnet/{call - 1}/{index:09}")
    return [text for _, text in told]


def gather_objects(value: Any) -> list[Any]:
    """Return what all processes call it with, in their order; anything that can be pickled."""
    if process_count() == 1:
        return [value]
    text = base64.b64encode(pickle.dumps(value)).decode()
    pieces = [text[first : first + LONGEST_TEXT] for first in range(0, len(text), LONGEST_TEXT)]
    most = max(map(int, gather(str(len(pieces)))))
    told = [gather(pieces[i] if i < len(pieces) else "") for i in range(most)]
    return [pickle.loads(base64.b64decode("".join(each))) for each in zip(*told, strict=True)]


def post(text: str) -> list[str]:
    """Post a short text in place of the last one, and return what is posted, without waiting."""
    if process_count() == 1:
        return [text]
    _client().key_value_set(f"jaxnet/posted/{process_index():09}", text, allow_overwrite=True)
    return [text for _, text in _client().key_value_dir_get("jaxnet/posted/")]


def own_share(items: Sequence[T]) -> Sequence[T]:
    """Return every n-th item for one of n processes; the shares of all make up the whole."""
    count = process_count()
    return items[process_index() % count :: count]


def join_shares(shares: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Join arrays whose first axis `own_share` has divided among processes.

    Args:
        shares: The arrays of each process by name; none of a process that had no item.
    """
    if len(shares) == 1:
        return shares[0]
    joined = {}
    for name, first in shares[0].items():
        arrays = [share[name] for share in shares if share]
        joined[name] = np.empty((sum(map(len, arrays)), *first.shape[1:]), first.dtype)
        for i, array in enumerate(arrays):
            joined[name][i :: len(shares)] = array
    return joined


def by_first(act: Callable[[], T]) -> T:
    """Let the first process do something; return or raise in all what it returns or raises."""
    answer: Any = None
    if process_count() == 1:
        return act()
    if is_first_process():
        try:
            answer = act()
        except JaxnetError as error:
            answer = error
    answer = gather_objects(answer)[0]
    if isinstance(answer, JaxnetError):
        raise answer
    done: T = answer
    return done


def in_any(condition: bool) -> bool:
    """Return whether the condition holds in any process."""
    return "true" in gather("true" if condition else "")


def require_alike(**named: Any) -> None:
    """Raise the same UsageError in every process unless all call it with the same values.

    Args:
        named: What is to be the same, by its name in the message: a value with a `repr` of its own,
            an array, or a pytree of these.
    """
    if process_count() == 1:
        return
    ours = {name: _digest(value) for name, value in named.items()}
    theirs = [json.loads(text) for text in gather(json.dumps(ours))]
    for index, other in enumerate(theirs):
        different = [name for name, digest in theirs[0].items() if other.get(name) != digest]
        if different or other.keys() != theirs[0].keys():
            named_so = " and ".join(different) or "arguments"
            raise UsageError(
                f"process {index} of {len(theirs)} has other {named_so} than process 0",
                "the same data, settings and versions in every process",
                "start all with the same arguments, and see to it that every machine has the same "
                "files and the same versions of Python's packages",
            )


def says_it(text: str) -> bool:
    """Return whether this process is the first to say a text, which the others then need not."""
    if not _joined.is_set():
        return True
    try:
        _client().key_value_set(f"jaxnet/said/{_digest(text)}", "")
    except Exception:  # it is set already; or there is nobody any more to ask
        return False
    return True


def end_at_once(code: int) -> None:
    """End this process, if it has joined others, so that the launcher ends them, too.

    Otherwise it would wait for them at its end, and they for it. One that is not joined goes on.
    """
    if not jax.distributed.is_initialized():
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # The first process last, since JAX ends the others when it is gone, with many words.
    time.sleep(PATIENCE_SECONDS * (2 if is_first_process() else 1))
    os._exit(code)


def _end_at_once_after_an_exception() -> None:
    if getattr(sys, "last_value", None) is not None:  # set of an exception that nobody has caught
        end_at_once(1)


def _client() -> Any:
    return global_state.client


def _digest(value: Any) -> str:
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(value):
        if isinstance(leaf, np.ndarray | jax.Array):
            array = np.asarray(leaf)
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        else:
            digest.update(repr(leaf).encode())
    return digest.hexdigest()


def _is_address(text: object) -> bool:
    host, colon, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    return bool(host and colon) and port.isdecimal() and 0 < int(port) < 65536


def _not_together(timeout: int) -> UsageError:
    """Make the error for processes that did not come together in time."""
    address = global_state.coordinator_address or ""
    who = f"process {global_state.process_id} of {global_state.num_processes}"
    if _answers(address):
        return UsageError(
            f"{who} waited {timeout} s for the others: not all of them have started",
            f"all processes within {timeout} s, which come together at {address}",
            "look for a process that ended or that the launcher did not start, and start all again",
        )
    return UsageError(
        f"{who} waited {timeout} s for the first process at {address}, which does not answer",
        "a first process that runs, and a network on which the others reach it",
        "check whether it has started, the address, and firewalls between the machines",
    )


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except (OSError, ValueError):
        return False


def _not_joined(cause: Exception) -> UsageError:
    """Make the error for what JAX raises when it joins processes."""
    text = " ".join(str(cause).split())
    if "before any JAX calls" in text or "only be called once" in text:
        return UsageError(
            "JAX is in use already, or the processes have been joined before",
            "join_processes() once, before the first JAX computation",
            "move the call to the start of the program",
        )
    if "defined" in text:
        return UsageError(
            "JAX finds no launcher that has started this process together with others",
            "mpirun of Open MPI 4, or srun of SLURM",
            "start it by mpirun -n 2 … or srun …; in Python, the arguments of join_processes say "
            "without a launcher which processes there are",
        )
    return UsageError(
        f"the processes cannot be joined: {text}",
        "an address on which the first process can listen, and numbers that fit together",
        "check the address, the number of processes and the index",
    )
