"""Compiled programs on the disk: kept, healed, bounded, private, and without effect on results."""

import contextlib
import errno
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import platformdirs
import pytest
from conftest import Result
from jax._src import lru_cache
from jax.experimental.compilation_cache import compilation_cache as of_jax

from jaxnet import compilation_cache, machine
from jaxnet.compilation_cache import cache_programs, clear_programs, programs_folder, size_of
from jaxnet.data.load import load_dataset
from jaxnet.runs.train import train
from jaxnet.settings import Settings

Run = Callable[..., Result]
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions are others elsewhere")

# What JAX is set to where nobody sets it.
AS_JAX = {
    "jax_enable_compilation_cache": True,
    "jax_compilation_cache_dir": None,
    "jax_compilation_cache_max_size": -1,
    "jax_persistent_cache_min_compile_time_secs": 1.0,
    "jax_persistent_cache_min_entry_size_bytes": 0,
    "jax_persistent_cache_enable_xla_caches": "xla_gpu_per_fusion_autotune_cache_dir",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder of the user, and JAX's own settings instead of those of the tests."""
    home = tmp_path / "cache"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: home / name)
    for name in ("JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE"):
        monkeypatch.delenv(name, raising=False)
    before = {name: jax.config.values[name] for name in AS_JAX}
    for name, value in AS_JAX.items():
        jax.config.update(name, value)
    of_jax.reset_cache()
    yield home
    for name, value in before.items():
        jax.config.update(name, value)
    of_jax.reset_cache()
    jax.clear_caches()


@contextlib.contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Count the programs that JAX found in its cache, and those that it wrote into it."""
    counts = {"cache_hits": 0, "cache_misses": 0}

    def count(event: str, **_: object) -> None:
        name = event.rpartition("/")[2]
        if name in counts:
            counts[name] += 1

    jax.monitoring.register_event_listener(count)
    try:
        yield counts
    finally:
        jax.monitoring.unregister_event_listener(count)


def compute() -> tuple[float, int, int]:
    """Compute in a program that nobody has compiled in this process; count hits and misses."""
    jax.clear_caches()
    x = np.arange(5, dtype=np.float32)
    with counted() as counts:
        value = float(jax.jit(lambda x: jnp.sin(x).sum() * 3)(x))
    return value, counts["cache_hits"], counts["cache_misses"]


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*-cache"))


def test_programs_are_kept_and_found() -> None:
    folder = cache_programs()
    assert folder is not None
    assert folder.parent == programs_folder()
    value, *first = compute()
    assert first == [0, 1]
    assert len(entries(folder)) == 1
    assert compute() == (value, 1, 0)
    assert cache_programs() == folder


def test_a_folder_that_jax_used_before_is_left(tmp_path: Path) -> None:
    assert compute()[1:] == (0, 0)
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "before"))
    compute()
    jax.config.update("jax_compilation_cache_dir", None)
    folder = cache_programs()
    assert folder is not None
    assert compute()[1:] == (0, 1)
    assert len(entries(folder)) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        lambda _: b"",
        lambda _: b"an entry of something else",
        lambda _: zlib.compress(b"0000 a program of another kind"),
    ],
    ids=["cut off", "a bit changed", "empty", "foreign", "foreign, but compressed"],
)
def test_an_entry_that_cannot_be_read_is_replaced_in_silence(
    damage: Callable[[bytes], bytes],
) -> None:
    folder = cache_programs()
    assert folder is not None
    value, *_ = compute()
    (entry,) = entries(folder)
    entry.write_bytes(damage(entry.read_bytes()))
    of_jax.reset_cache()
    assert compute() == (value, 0, 1)  # warnings are errors
    assert compute() == (value, 1, 0)


def test_entries_have_a_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jax._src.compilation_cache.zstandard", object())
    folder = cache_programs()
    assert folder is not None
    compute()
    (entry,) = entries(folder)
    assert zlib.decompress(entry.read_bytes())


def test_an_entry_whose_writing_was_cut_short_is_removed() -> None:
    """Without its time of use JAX would fail to remove old entries, and so to write new ones."""
    folder = cache_programs()
    assert folder is not None
    compute()
    (entry,) = entries(folder)
    (folder / entry.name.replace("-cache", "-atime")).unlink()
    jax.config.update("jax_compilation_cache_dir", None)
    assert cache_programs() == folder
    assert not entries(folder)
    assert compute()[2] == 1


@pytest.mark.parametrize("function", ["get", "put"])
def test_a_disk_that_fails_is_asked_once_and_in_silence(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = cache_programs()
    asked = []

    def fail(self: lru_cache.LRUCache, key: str, *value: bytes) -> None:
        asked.append(key)
        (self.path / f"{key}-cache").write_bytes(b"a part")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(lru_cache.LRUCache, function, fail)
    value, hits, _ = compute()
    assert (compute()[0], hits) == (value, 0)
    assert len(asked) == 1
    assert folder is not None
    assert not entries(folder)


def test_a_folder_that_cannot_be_made_is_no_error(home: Path) -> None:
    home.touch()
    assert cache_programs() is None
    assert jax.config.values["jax_compilation_cache_dir"] is None
    assert clear_programs() == 0


def test_a_user_without_a_home_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: Path("~/.cache", name))
    assert cache_programs() is None
    assert clear_programs() == 0
    assert not Path("~").exists()


@POSIX
def test_nobody_else_can_write_to_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    programs_folder().mkdir(parents=True)
    programs_folder().chmod(0o777)
    folder = cache_programs()
    assert folder is not None
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
    jax.config.update("jax_compilation_cache_dir", None)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert cache_programs() is None


def test_other_machines_and_versions_have_a_folder_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {compilation_cache._kind()}
    monkeypatch.setattr(compilation_cache, "describe_processor", lambda: "another")
    names.add(compilation_cache._kind())
    monkeypatch.setattr("jaxlib.version.__version__", "99.9")
    names.add(compilation_cache._kind())
    assert len(names) == 3
    assert all("/" not in name for name in names)


def test_the_processor_is_described_by_its_instruction_sets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = "processor : 0\nmodel name : A\ncpu MHz : {}\nflags : avx {}\n\nprocessor : 1\n"
    described = []
    for numbers in ((1, "avx2"), (2, "avx2"), (1, "avx512")):
        monkeypatch.setattr(Path, "read_text", lambda _, n=numbers: table.format(*n))
        described.append(machine.describe_processor())
    assert described[0] == described[1] != described[2]


def test_the_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(compilation_cache._SETTINGS, "jax_compilation_cache_max_size", 10_000)
    folder = cache_programs()
    assert folder is not None
    for i in range(9):
        jax.jit(lambda x, i=i: jnp.sin(x) * i)(np.ones(3, np.float32))
    assert 0 < len(entries(folder)) < 9
    assert sum(entry.stat().st_size for entry in entries(folder)) <= 10_000


def test_what_other_versions_left_is_removed_in_the_end() -> None:
    old, young = (programs_folder() / name / "entry" for name in ("old", "young"))
    long_ago = time.time() - compilation_cache.KEPT_SECONDS - 60
    for path in (old, young):
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path.parent, (long_ago, long_ago))
    os.utime(old, (long_ago, long_ago))
    cache_programs()
    assert not old.parent.exists()
    assert young.exists()


def test_the_page_names_the_limits() -> None:
    page = Path(__file__).parent.parent / "docs" / "speed.md"
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert f"at most {compilation_cache.MOST_BYTES // 2**20} MiB" in text
    assert f"for {compilation_cache.KEPT_SECONDS // (24 * 3600)} days" in text


def test_the_settings_of_the_user_win(tmp_path: Path) -> None:
    before = dict(jax.config.values)
    jax.config.update("jax_enable_compilation_cache", False)
    assert cache_programs() is None
    jax.config.update("jax_enable_compilation_cache", True)
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "own"))
    assert cache_programs() == tmp_path / "own"
    changed = {name for name in before if before[name] != jax.config.values[name]}
    assert changed == {"jax_compilation_cache_dir"}
    assert not programs_folder().exists()


def test_a_training_has_the_same_bits(folder: Path) -> None:
    data, settings = load_dataset(folder, size=4), Settings(iterations=20)
    without = train(data, settings)
    cache_programs()
    counts = []
    for _ in range(2):
        jax.clear_caches()
        with counted() as count:
            run = train(data, settings)
        counts.append(count)
        np.testing.assert_array_equal(run.costs, without.costs)
        for name, value in without.model.params.items():
            np.testing.assert_array_equal(run.model.params[name], value)
    first, again = counts
    assert first["cache_hits"] == 0
    assert again == {"cache_hits": first["cache_misses"], "cache_misses": 0}
    assert first["cache_misses"] >= 3


AT_ONCE = """
import sys
from pathlib import Path
import jax, numpy as np, platformdirs
platformdirs.user_cache_path = lambda name: Path(sys.argv[1], name)
from jaxnet.compilation_cache import cache_programs
assert cache_programs()
for i in range(20):
    assert jax.jit(lambda x: x * 2 + i)(np.ones(3, np.float32))[0] == 2 + i
"""


@pytest.mark.slow
def test_processes_at_once_do_no_harm(home: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", AT_ONCE, str(home)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[1] for process in processes] == ["", ""]
    folder = cache_programs()
    assert folder is not None
    for entry in entries(folder):
        zlib.decompress(entry.read_bytes())
    assert len(entries(folder)) >= 20


@pytest.mark.usefixtures("undrawn")
def test_commands_keep_their_programs_and_info_clears_them(jaxnet: Run, home: Path) -> None:
    assert "usage" in jaxnet("train", "--help").out.lower()
    assert not home.exists()
    with counted() as counts:
        data = ("--data", "sketches", "--count", "4", "--size", "8")
        jax.clear_caches()
        assert jaxnet("train", *data, "--iterations", "2", "--no-page").code == 0
    assert counts["cache_misses"] >= 5
    size = size_of(programs_folder())
    assert size > 5000
    shown = jaxnet("info").out
    assert f"compilations: {jax.config.values['jax_compilation_cache_dir']} (0." in shown
    cleared = jaxnet("info", "--clear-cache", "--json")
    assert "of compiled programs removed" in cleared.err
    assert '"compilation_cache_bytes": 0' in cleared.out
    assert not programs_folder().exists()


def test_info_says_that_nothing_is_kept(jaxnet: Run) -> None:
    jax.config.update("jax_enable_compilation_cache", False)
    jax.config.update("jax_compilation_cache_dir", "unused")
    assert "not kept: JAX_ENABLE_COMPILATION_CACHE is off" in jaxnet("info").out
