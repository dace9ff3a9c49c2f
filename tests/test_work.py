"""What a command does: every file read once, nothing hashed or audited twice, few compilations."""

import builtins
import collections
import contextlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np
import pytest
import typer.main
from conftest import Result

from jaxnet.data import dataset, duplicates, tree
from jaxnet.data.columns import to_columns, to_row
from jaxnet.evaluation import audit
from jaxnet.network import init_params
from jaxnet.normals import make_key
from jaxnet.training import fit

Run = Callable[..., Result]


@contextlib.contextmanager
def compiled() -> Iterator[list[str]]:
    """List the programs that XLA compiles where JAX has none of an earlier test."""
    names: list[str] = []

    def note(event: str, duration_secs: float, **details: str | int) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(str(details["fun_name"]))

    jax.clear_caches()
    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        yield names
    finally:
        jax.monitoring.unregister_event_duration_listener(note)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> collections.Counter[str]:
    """Count by the name of a file how often it is opened for reading."""
    counts: collections.Counter[str] = collections.Counter()

    def counting(function: Callable[..., Any], skip: int) -> Callable[..., Any]:
        def count(*values: Any, **named: Any) -> Any:
            path, mode = values[skip], named.get("mode", values[skip + 1 :][:1] or "r")
            if isinstance(path, str | os.PathLike) and "r" in mode[0]:
                counts[Path(path).name] += 1
            return function(*values, **named)

        return count

    opening = counting(open, 0)
    for module in (builtins, io):
        monkeypatch.setattr(module, "open", opening)
    monkeypatch.setattr(h5py.File, "__init__", counting(h5py.File.__init__, 1))
    return counts


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> collections.Counter[str]:
    """Count how often all pictures are hashed, and how often they are compared."""
    counts: collections.Counter[str] = collections.Counter()
    for module, name in (
        (dataset, "_fingerprints"),
        (audit, "find_pairs"),
        (duplicates, "find_pairs"),  # which load_searched imports when it is called
    ):
        function = getattr(module, name)

        def count(*values: Any, name: str = name, function: Any = function, **named: Any) -> Any:
            counts[name] += 1
            return function(*values, **named)

        monkeypatch.setattr(module, name, count)
    return counts


@pytest.mark.usefixtures("undrawn")
def test_commands_do_everything_once(
    jaxnet: Run,
    h5: Callable[..., Path],
    opened: collections.Counter[str],
    calls: collections.Counter[str],
) -> None:
    for words, programs in (
        (("train", "--data", h5(), "--out", "run"), 5),
        (("evaluate", "run"), 2),
        (("data", h5()), 0),
        (("data", h5(), "--exclude-leaks"), 0),
    ):
        opened.clear()
        calls.clear()
        with compiled() as names:
            assert jaxnet(*words).code == 0
        assert len(names) <= programs, names
        assert opened["both.h5"] == 3  # for its kind, for train, for test
        assert opened["model.h5"] == (3 if words[0] == "evaluate" else 0)
        assert calls == {"find_pairs": 1} | ({} if words[0] == "data" else {"_fingerprints": 1})


def test_the_first_fit_compiles_what_it_repeats_and_little_else() -> None:
    X, Y = to_columns(np.zeros((4, 3, 2, 3), np.uint8)), to_row([0, 1, 0, 1])
    for basis in ("span", "pixels"):
        with compiled() as names:
            params = init_params(make_key(0), len(X))
            assert names == ["jit(_normals)"]
            fit(params, X, Y, iterations=3, momentum=0.5, basis=basis)
        assert names[1:] == ["jit(run_updates)", "jit(slopes)"]


@pytest.mark.usefixtures("undrawn")
def test_pictures_are_read_once(
    jaxnet: Run, folder: Path, opened: collections.Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []

    def counting(path: Path, *more: Path | None) -> tree.Tree:
        looked.append(path)
        return tree.look(path, *more)

    monkeypatch.setattr("jaxnet.data.folder.look", counting)
    assert jaxnet("data", folder, "--size", "4").code == 0
    assert looked == [folder]
    opened.clear()
    assert jaxnet("train", "--data", folder, "--size", "4", "--iterations", "2").code == 0
    assert looked == [folder, folder]
    # Each is opened for its kind, and to be read.
    assert [opened[f"{i:02}.png"] for i in range(12)] == [2] * 12
    opened.clear()
    with compiled() as names:
        assert jaxnet("predict", "runs/001", folder / "cat" / "01.png").code == 0
    assert names == ["jit(forward)"]
    assert (opened["01.png"], opened["model.h5"]) == (2, 3)


@pytest.mark.usefixtures("cats")
def test_the_cats_are_verified_and_read_once(jaxnet: Run, opened: collections.Counter[str]) -> None:
    assert jaxnet("data", "catvnoncat").code == 0
    assert (opened["train_catvnoncat.h5"], opened["test_catvnoncat.h5"]) == (2, 2)


def test_only_the_options_of_the_command_are_read(
    jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, function = [], typer.main.get_command_from_info

    def counting(command_info: Any, **more: Any) -> Any:
        read.append(command_info.name)
        return function(command_info, **more)

    monkeypatch.setattr(typer.main, "get_command_from_info", counting)
    assert jaxnet("predict", "--help").code == 0
    assert read == ["predict"]
    assert "predict" in jaxnet("--help").out
    assert len(read) > 10
