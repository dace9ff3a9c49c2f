"""What this installation is and has, in lines to be pasted into the report of a fault."""

from collections.abc import Iterator

from jaxnet.evaluation.installation import Info
from jaxnet.explain import in_units


def describe_info(info: Info) -> Iterator[str]:
    """Describe an installation, a fact a line."""
    missing = "not installed"
    versions = [f"{name} {version or missing}" for name, version in info.versions.items()]
    yield "versions:     " + ", ".join(versions)
    yield f"system:       {info.system}"
    yield f"devices:      {_devices(info)}"
    yield f"why these:    {'; '.join(_why(info))}"
    yield f"precision:    {_precision(info)}"
    yield f"cores:        {info.cores} usable"
    yield f"free memory:  {_size(info.memory)}"
    yield f"free disk:    {_size(info.disk)} in the working directory"
    chosen = "named by JAXNET_DATA_DIR" if info.downloads_chosen else "JAXNET_DATA_DIR is not set"
    yield f"downloads:    {info.downloads} ({chosen})"
    yield f"compilations: {_compilations(info)}"
    yield f"extras:       {_extras(info)}"


def describe_clearing(size: int) -> str:
    """Say how much of compiled programs was removed."""
    return f"{in_units(size)} of compiled programs removed"


def _compilations(info: Info) -> str:
    if info.compilation_cache is None:
        return "not kept: JAX_ENABLE_COMPILATION_CACHE is off, or no folder can be written to"
    return f"{info.compilation_cache} ({_size(info.compilation_cache_bytes)})"


def _devices(info: Info) -> str:
    if info.platform is None:
        return f"none: {info.device_error}"
    kinds = [f"{info.devices.count(kind)} × {kind}" for kind in dict.fromkeys(info.devices)]
    return f"{', '.join(kinds)} (platform {info.platform})"


def _why(info: Info) -> Iterator[str]:
    """Say what decides which devices JAX uses."""
    if info.variables:
        yield ", ".join(f"{name}={value}" for name, value in info.variables.items())
    else:
        yield "no variable of JAX, XLA or CUDA is set"
    unused = " but not used" if info.plugins and info.platform in (None, "cpu") else ""
    plugins = f"installed{unused}: {', '.join(info.plugins)}" if info.plugins else "none installed"
    yield f"plugins for a GPU or a TPU: {plugins}"
    yield f"NVIDIA driver: {'installed' if info.gpu_driver else 'not found'}"


def _precision(info: Info) -> str:
    bits = "float64 allowed" if info.x64 else "float32, and float64 within float64 trainings"
    return f"{bits}; JAX's own precision of matrix products: {info.matmul_precision or 'default'}"


def _size(size: int | None) -> str:
    return "not known" if size is None else in_units(size)


def _extras(info: Info) -> str:
    if not info.extras:
        return "not known"
    parts = [
        f"{name} ({'missing: ' + ', '.join(missing) if missing else 'installed'})"
        for name, missing in info.extras.items()
    ]
    return ", ".join(parts)
