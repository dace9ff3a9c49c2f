"""What this machine gives to the process: cores, processor, memory, a GPU's driver."""

import contextlib
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path


def usable_cores() -> int:
    """Count the cores that this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# Of the first core in the kernel's table: on x86, and on ARM.
_OF_PROCESSOR = ("model name", "flags", "CPU implementer", "CPU part", "Features")


def describe_processor() -> str:
    """Describe the kind of the processor: its architecture, its model, its instruction sets."""
    try:
        first = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:  # not Linux
        return f"{platform.machine()}\n{platform.processor()}"
    rows = [line for line in first.splitlines() if line.partition(":")[0].strip() in _OF_PROCESSOR]
    return "\n".join([platform.machine(), *rows])


def has_gpu_driver() -> bool:
    """Return whether the driver of an NVIDIA GPU is installed."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def free_memory() -> int | None:
    """Return how many bytes this process can still take; None where the system does not say.

    It is the least of what the machine has free, what the control group leaves (in a container or
    a batch job), and what a limit on the address space leaves (`ulimit -v`).
    """
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError, KeyError):  # not Linux
        yield _table("/proc/meminfo")["MemAvailable"] * 1024
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with contextlib.suppress(OSError, ValueError):  # "max": there is no limit
            group = Path("/sys/fs/cgroup")
            yield max(0, int((group / most).read_text()) - int((group / used).read_text()))
    space = free_address_space()
    if space is not None:
        yield space


def free_address_space() -> int | None:
    """Return how many bytes a limit on the address space leaves (`ulimit -v`); None without one."""
    with contextlib.suppress(OSError, ValueError, KeyError, ImportError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            return max(0, limit - _table("/proc/self/status")["VmSize"] * 1024)
    return None


def _table(path: str) -> dict[str, int]:
    """Read the whole numbers of a table of the kernel by their names."""
    rows = (line.partition(":") for line in Path(path).read_text().splitlines())
    numbers = ((name, rest.split()[:1]) for name, _, rest in rows)
    return {name: int(number[0]) for name, number in numbers if number and number[0].isdecimal()}
