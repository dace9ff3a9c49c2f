"""The benchmark of many pictures, on few of them: every program makes the same steps."""

from pathlib import Path

import numpy as np
import pytest

from experiments.benchmark_large import main, time_in_turns
from experiments.benchmarking.large import FROM_A_FILE, make_file
from jaxnet.data.stream import read_in_order


def test_the_benchmark_runs_and_tells_what_is_missing() -> None:
    result = main(
        pictures=40, batch=16, epochs=2, full_batch=30, updates=2, small_updates=3, rounds=1
    )
    rates = [name for name in result.numbers if name.startswith("pictures a second")]
    assert {"pictures a second: jaxnet", "pictures a second: reading alone"} <= set(rates)
    assert all(result.numbers[name] > 0 for name in rates)
    assert result.figure is not None


def test_the_file_is_read_as_it_is_drawn(tmp_path: Path) -> None:
    pictures = make_file(tmp_path / "a.h5", 50, side=8)
    assert (len(pictures), pictures.size) == (50, (8, 8))
    images = np.concatenate([part.images for part in read_in_order(pictures, 16)])
    light = images.reshape(50, -1).mean(axis=1)
    assert light[pictures.labels == 1].min() > light[pictures.labels == 0].max()


def test_each_program_is_timed_after_it_has_run_once() -> None:
    calls: list[str] = []

    def missing() -> None:
        raise ImportError("not installed")

    makers = {
        "a": lambda: lambda: calls.append("a"),
        "b": lambda: lambda: calls.append("b"),
        "missing": missing,
    }
    seconds = time_in_turns(makers, rounds=2)  # type: ignore[arg-type]
    assert seconds.keys() == {"a", "b"}
    assert calls == ["a", "b"] * 3


@pytest.mark.parametrize("name", ["reading alone", "reading in random order alone", "jaxnet"])
def test_an_epoch_can_be_repeated(name: str, tmp_path: Path) -> None:
    run = FROM_A_FILE[name](make_file(tmp_path / "a.h5", 40), 16)
    run(1)
    run(2)
