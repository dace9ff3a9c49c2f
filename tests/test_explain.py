"""Exceptions in words, by what they are."""

import errno
import os
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from jaxnet import explain as explain_module
from jaxnet.errors import DataError, UsageError
from jaxnet.explain import (
    explain,
    is_contradiction,
    is_device_missing,
    is_of_jax,
    missing_device,
    reason_for_error,
)


def raised(cause: BaseException) -> BaseException:
    """Return an exception with the traceback of having been raised here."""
    try:
        raise cause
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EAGAIN, "it is in use"),
        (errno.EMFILE, "too many files are open"),
        (errno.EIO, "the disk reports an error"),
        (errno.ESTALE, "does not answer"),
        (errno.ENOMEM, "there is not enough memory"),
        (errno.ELOOP, f"the system reports: {os.strerror(errno.ELOOP)}"),
    ],
)
def test_an_error_of_the_system_is_known_by_its_number(number: int, found: str) -> None:
    reason = explain(OSError(number, "text in another language"))
    assert reason is not None
    assert found in reason.found
    assert reason.expected
    assert reason.remedy


@pytest.mark.parametrize(
    "cause",
    [
        OSError("truncated file: eof = 96"),
        OSError(errno.EINVAL, "Invalid argument"),
        ValueError("a number"),
        AssertionError(),
        RuntimeError("of one's own"),
        KeyError("W1"),
    ],
)
def test_what_lies_in_the_file_or_the_program_has_no_other_reason(cause: Exception) -> None:
    assert explain(raised(cause)) is None
    assert reason_for_error(raised(cause)) is None


def test_a_lock_and_a_number_within_the_words_of_hdf5() -> None:
    locked = OSError("Unable to open file (unable to lock file, errno = 0, error message = '')")
    full = RuntimeError("Can't decrement id ref count (file write failed: errno = 28, error …)")
    for cause, found in ((locked, "it is in use"), (full, "the disk is full")):
        reason = explain(cause)
        assert reason is not None
        assert found in reason.found


def test_a_process_that_does_not_answer_is_no_fault_of_the_program() -> None:
    lost = "UNKNOWN: Gloo all-reduce failed: [gloo/pair.cc:547] Connection closed by peer [::1]:3"
    late = "DEADLINE_EXCEEDED: Barrier timed out. [type.googleapis.com/CoordinationServiceError='']"
    for text in (lost, late):
        reason = explain(RuntimeError(text))
        assert reason is not None
        assert f"does not answer any more ({text.partition(' [')[0]})" in reason.found


def test_how_much_memory_is_needed_and_how_much_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_module, "free_memory", lambda: 3 * 2**20)
    with pytest.raises(MemoryError) as caught:
        np.empty((2**30, 2**20), np.uint8)
    reason = explain(caught.value)
    assert reason is not None
    assert "1,048,576.0 GiB more are needed, there are 3.0 MiB free" in reason.found
    on_device = explain(RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 5242880 bytes."))
    assert on_device is not None
    assert "5.0 MiB more are needed, there are 3.0 MiB free" in on_device.found
    monkeypatch.setattr(explain_module, "free_memory", lambda: None)
    bare = explain(MemoryError())
    assert bare is not None
    assert bare.found == "there is not enough memory"
    unmapped = explain(ImportError("lib.so: failed to map segment from shared object"))
    assert unmapped is not None
    assert unmapped.found == "there is not enough memory"
    assert explain(ImportError("No module named 'jax'")) is None


def test_a_transfer_that_jax_is_set_to_refuse() -> None:
    import jax
    import jax.numpy as jnp

    with jax.transfer_guard("disallow"), pytest.raises(jax.errors.JaxRuntimeError) as caught:
        jnp.sin(np.ones(3))
    reason = explain(caught.value)
    assert reason is not None
    assert "JAX_TRANSFER_GUARD" in reason.found
    assert is_of_jax(caught.value)
    assert not is_of_jax(ValueError())


def test_what_contradicts_itself_is_told_from_a_bug(tmp_path: Path) -> None:
    (tmp_path / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(9))
    with pytest.raises(OSError, match="file") as of_hdf5:
        h5py.File(tmp_path / "cut.h5")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UnidentifiedImageError) as of_pillow:
        Image.open(tmp_path / "cut.png").load()
    for cause in (of_hdf5.value, of_pillow.value, raised(struct.error()), raised(ValueError())):
        assert is_contradiction(cause, "h5py", "PIL")
    with h5py.File(tmp_path / "a.h5", "w") as file, pytest.raises(TypeError) as within:
        file["a"] = object()
    assert is_contradiction(within.value, "h5py")
    assert not is_contradiction(within.value, "PIL")
    for bug in (TypeError(), AttributeError(), AssertionError(), IndexError(), RuntimeError()):
        assert not is_contradiction(raised(bug), "h5py")
    for outside in (MemoryError(), PermissionError(errno.EACCES, "no")):
        assert not is_contradiction(raised(outside), "h5py")


def test_a_device_that_jax_cannot_use() -> None:
    text = "Unable to initialize backend 'tpu': no libtpu.so. (set JAX_PLATFORMS='' to choose)"
    cause = raised(RuntimeError(text))
    assert is_device_missing(cause)
    assert not is_contradiction(cause)
    error = missing_device(cause, "tpu")
    assert error.found == (
        'JAX is told to use "tpu" (JAX_PLATFORMS), but cannot: '
        "Unable to initialize backend 'tpu': no libtpu.so"
    )
    assert "unset JAX_PLATFORMS" in error.remedy
    assert not is_device_missing(raised(AssertionError()))
    silent = missing_device(AssertionError(), "cuda", ["OSError: no libcuda"])
    assert 'no device for "cuda" on this machine; a plugin of JAX fails (OSError' in silent.found


def test_a_program_ends_with_words_where_there_are_any() -> None:
    error = DataError("a", "b", "c")
    assert reason_for_error(error) is error
    refused = reason_for_error(PermissionError(errno.EACCES, "no", "pets"))
    assert isinstance(refused, UsageError)
    assert refused.found == "pets cannot be used: permission denied"


def test_a_setting_that_jax_refuses_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    from jax._src import config

    monkeypatch.setenv("JAX_ENABLE_X64", "yess")
    with pytest.raises(ValueError, match="yess") as caught:
        config.bool_env("JAX_ENABLE_X64", False)
    reason = explain(caught.value)
    assert reason is not None
    assert "'yess' for environment 'JAX_ENABLE_X64'" in reason.found
