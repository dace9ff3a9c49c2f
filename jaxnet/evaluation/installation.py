"""What this installation is and what it has: the facts that a report of a fault needs."""

import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import jax

from jaxnet import __version__
from jaxnet.compilation_cache import size_of
from jaxnet.data.download import FOLDER_VARIABLE, cache_folder
from jaxnet.devices import find_devices
from jaxnet.errors import UsageError
from jaxnet.machine import free_memory, has_gpu_driver, usable_cores

# Of these, the versions decide what is computed.
PACKAGES = ("jax", "jaxlib", "numpy", "h5py", "optax", "scipy", "pillow", "matplotlib")

# What decides which device JAX uses, and how; their values hold nothing private.
VARIABLES = (
    "JAX_PLATFORMS",
    "JAX_ENABLE_X64",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_TRANSFER_GUARD",
    "JAX_NUM_CPU_DEVICES",
    "JAX_DEBUG_NANS",
    "CUDA_VISIBLE_DEVICES",
    "XLA_FLAGS",
    "XLA_PYTHON_CLIENT_MEM_FRACTION",
    "HDF5_USE_FILE_LOCKING",
)


@dataclasses.dataclass(frozen=True)
class Info:
    """What this installation is and has. Paths in the home folder are written with ~.

    Attributes:
        versions: Of jaxnet, Python and the packages, by name; None for one that is missing.
        system: The operating system and the kind of processor.
        devices: The devices that JAX computes on; empty if it can use none.
        device_error: Why JAX can use none; None if it can.
        platform: "cpu", "gpu" or "tpu"; None if JAX can use no device.
        plugins: The packages installed that bring JAX a GPU or a TPU.
        gpu_driver: Whether the driver of an NVIDIA GPU is installed.
        variables: The environment variables that decide the device, by name, if they are set.
        x64: Whether JAX is set to 64 bits; a training in float64 needs no such setting.
        matmul_precision: What JAX is set to; jaxnet multiplies at the highest precision itself.
        cores: The cores that this process may use.
        memory: The bytes that this process can still take; None where the system does not say.
        disk: The bytes that are free in the working directory; None likewise.
        downloads: The folder of downloaded data.
        downloads_chosen: Whether JAXNET_DATA_DIR names it.
        compilation_cache: The folder in which JAX keeps compiled programs; None if it keeps none.
        compilation_cache_bytes: What they take; None likewise.
        extras: For each optional part of jaxnet, the packages of it that are missing.
    """

    versions: dict[str, str | None]
    system: str
    devices: tuple[str, ...]
    device_error: str | None
    platform: str | None
    plugins: tuple[str, ...]
    gpu_driver: bool
    variables: dict[str, str]
    x64: bool
    matmul_precision: str | None
    cores: int
    memory: int | None
    disk: int | None
    downloads: str
    downloads_chosen: bool
    compilation_cache: str | None
    compilation_cache_bytes: int | None
    extras: dict[str, tuple[str, ...]]


def info() -> Info:
    """Gather what this installation is and has, for the report of a fault.

    It starts the devices of JAX; if JAX can use none, it says why, and raises nothing.
    """
    devices: tuple[jax.Device, ...] = ()
    device_error = None
    try:
        devices = find_devices()
    except UsageError as error:
        device_error = error.found
    set_to = jax.config.values
    cache = set_to["jax_enable_compilation_cache"] and set_to["jax_compilation_cache_dir"]
    return Info(
        versions=_versions(),
        system=f"{platform.platform()}, {platform.machine()}",
        devices=tuple(device.device_kind for device in devices),
        device_error=device_error,
        platform=devices[0].platform if devices else None,
        plugins=_plugins(),
        gpu_driver=has_gpu_driver(),
        variables={
            name: _without_home(os.environ[name]) for name in VARIABLES if name in os.environ
        },
        x64=bool(set_to["jax_enable_x64"]),
        matmul_precision=set_to["jax_default_matmul_precision"],
        cores=usable_cores(),
        memory=free_memory(),
        disk=_free_disk(),
        downloads=_without_home(str(cache_folder())),
        downloads_chosen=FOLDER_VARIABLE in os.environ,
        compilation_cache=_without_home(str(cache)) if cache else None,
        compilation_cache_bytes=size_of(Path(cache)) if cache else None,
        extras=_extras(),
    )


def _versions() -> dict[str, str | None]:
    own = {"jaxnet": __version__, "python": platform.python_version()}
    return own | {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _plugins() -> tuple[str, ...]:
    """List the packages by which JAX finds a GPU or a TPU, as JAX looks for them."""
    points = importlib.metadata.entry_points(group="jax_plugins")
    names = {point.dist.name for point in points if point.dist is not None}
    return tuple(sorted(names | ({"libtpu"} if importlib.util.find_spec("libtpu") else set())))


def _free_disk() -> int | None:
    try:
        return shutil.disk_usage(".").free
    except OSError:  # the working directory was removed
        return None


def _without_home(text: str) -> str:
    """Write the user's home folder as ~ wherever it stands, which says less of the user."""
    home = os.path.expanduser("~").rstrip(os.sep)
    return re.sub(rf"{re.escape(home)}(?![^\s{os.sep}])", "~", text) if home else text


def _extras() -> dict[str, tuple[str, ...]]:
    """List for each extra in the metadata of jaxnet the packages of it that are missing."""
    try:
        names = importlib.metadata.metadata("jaxnet").get_all("Provides-Extra") or ()
    except importlib.metadata.PackageNotFoundError:  # it runs from a source tree
        return {}
    needed = {name: dict.fromkeys(_needed_by("jaxnet", name)) for name in names}
    return {
        name: tuple(package for package in needed[name] if _version(package) is None)
        for name in needed
    }


# As in the metadata of a package: 'jax[cuda]>=0.10; extra == "cuda"'.
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[([\w,. -]+)\])?")


def _needed_by(package: str, extra: str) -> Iterator[str]:
    """List the packages that an extra of an installed package asks for, and their extras."""
    for requirement in importlib.metadata.requires(package) or ():
        named = _REQUIREMENT.match(requirement)
        if named is None or f'extra == "{extra}"' not in requirement:
            continue
        yield named[1]
        if named[2] and _version(named[1]) is not None:
            for inner in named[2].split(","):
                yield from _needed_by(named[1], inner.strip())
