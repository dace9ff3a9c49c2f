"""The peers of the benchmark take the same steps, and its numbers are about them."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from conftest import Result
from test_figures import rendered

import jaxnet
from experiments import benchmark, benchmark_scripts
from experiments.benchmark import cost, each_of, first_of
from experiments.benchmark_scripts import first_table, scripts_table, share
from experiments.benchmarking import peers, starts, workers
from experiments.benchmarking.peers import (
    MANY_NETWORKS,
    ONE_NETWORK,
    Arrays,
    Problem,
    Train,
    numpy_pixels,
)
from experiments.benchmarking.report import draw
from experiments.benchmarking.script import NETWORK, PICTURE
from experiments.benchmarking.script import main as run_script
from experiments.benchmarking.starts import COLD, WARM, Times
from experiments.benchmarking.workers import Worker, time_in_turns
from jaxnet.data.columns import to_columns
from jaxnet.network import init_params, loss
from jaxnet.progress import silent


@pytest.fixture
def problem(x64: None) -> Problem:
    """Three networks of 20–8–1, and six examples."""
    draw = np.random.default_rng(0)
    drawn = [init_params(jax.random.key(seed), 20) for seed in range(3)]
    params = {name: np.stack([p[name] for p in drawn]).astype(float) for name in drawn[0]}
    X, Y = draw.uniform(-1, 1, (20, 6)), draw.integers(0, 2, (1, 6)).astype(float)
    return Problem(X, Y, params, 0.2)


def prepare(make: Callable[..., Train], *arguments: Any) -> Train:
    try:
        return make(*arguments)
    except ImportError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", ONE_NETWORK)
def test_each_peer_takes_the_same_steps(name: str, problem: Problem) -> None:
    one = first_of(problem)
    train = prepare(ONE_NETWORK[name], one)
    expected = numpy_pixels(one)(40)
    assert np.abs(expected["W1"] - one.params["W1"]).max() > 1e-3
    for _ in range(2):  # from the same start each time
        ours = train(40)
        for letter, array in expected.items():
            np.testing.assert_allclose(ours[letter], array, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", MANY_NETWORKS)
def test_stacked_networks_are_trained_as_each_alone(name: str, problem: Problem) -> None:
    train = prepare(MANY_NETWORKS[name], problem, 5)
    alone = [cost(problem, numpy_pixels(one)(40)) for one in each_of(problem)]
    ends = train(40)
    costs = ends["costs"] if "costs" in ends else cost(problem, ends)
    np.testing.assert_allclose(costs, [*alone, *alone[:2]], rtol=1e-12)


def test_the_cost_is_that_of_the_network(problem: Problem) -> None:
    one = first_of(problem)
    expected = jax.jit(loss)(one.params, one.X, one.Y)
    assert cost(one, one.params) == pytest.approx(float(expected), rel=1e-14)


def missing_peer(problem: Problem) -> Train:
    raise ImportError("no such package")


@pytest.mark.slow
def test_workers_take_turns_and_the_missing_are_left_out(problem: Problem) -> None:
    one = first_of(problem)
    both = {"NumPy": Worker(numpy_pixels, one), "missing": Worker(missing_peer, one)}
    timings = time_in_turns(both, dict.fromkeys(both, 3), 2, silent)
    assert list(timings) == list(both) == ["NumPy"]
    timing = timings["NumPy"]
    assert 0 < timing.least <= timing.median <= timing.most
    assert timing.memory > 1e6
    params = both["NumPy"].train(3, "float64")[1]
    np.testing.assert_array_equal(params["W1"], numpy_pixels(one)(3)["W1"])
    both["NumPy"].close()


class Here:
    """A `Worker` without a process of its own, which takes a few seconds to start."""

    def __init__(self, make: Callable[[Problem], Train], problem: Problem) -> None:
        self._make, self._problem = make, problem

    def train(
        self, iterations: int, dtype: str = "float32", at_least: float = 0.0
    ) -> tuple[float, Arrays, int]:
        """Train once."""
        with jax.enable_x64(dtype == "float64"):
            train = self._make(self._problem.astype(np.dtype(dtype).type))
            began = time.perf_counter()
            params = train(iterations)
            return time.perf_counter() - began, params, 1

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.slow
def test_a_small_benchmark(h5: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    some = ("NumPy", "jaxnet")
    monkeypatch.setattr(benchmark, "Worker", Here)
    monkeypatch.setattr(jaxnet, "use_all_cores", lambda: None)  # JAX is in use here
    monkeypatch.setattr(benchmark, "ONE_NETWORK", {name: ONE_NETWORK[name] for name in some})
    monkeypatch.setattr(benchmark, "MANY_NETWORKS", {"jaxnet": MANY_NETWORKS["jaxnet"]})
    monkeypatch.setattr(benchmark, "GROWTH", [("pictures", 20, 8, "gray", 8)])
    monkeypatch.setattr(benchmark, "MOST_STEPS", 5)
    monkeypatch.setattr(workers, "TURN", 0)
    for module in (benchmark, peers):
        monkeypatch.setattr(module, "SQUARE", 64)
    result = benchmark.main(str(h5()), iterations=5, rounds=1, most_networks=1)
    numbers = result.numbers
    assert numbers["largest difference of the final costs in float64"] < 1e-12
    assert list(numbers["one network, seconds"]) == list(some)
    assert {row["basis"] for row in numbers["growth"]} == {"pixels", "span"}
    assert result.figure is not None
    one, many = (numbers[name] for name in numbers if name.endswith((", seconds", "a step")))
    rendered(draw(one, many, [], "without growth"))


@pytest.mark.parametrize("name", benchmark.ON_PIXELS)
def test_the_script_of_each_peer_saves_its_network_and_draws(
    name: str, h5: Callable[..., Path], images: np.ndarray, tmp_path: Path, x64: None
) -> None:
    params = jax.device_get(init_params(jax.random.key(0), 48))
    X = np.asarray(to_columns(images[:8], dtype=np.float64))
    problem = Problem(X, np.arange(8.0)[None] % 2, params, 0.0075).astype(np.float64)
    prepare(ONE_NETWORK[name], problem)
    np.savez(tmp_path / "start.npz", **params)
    run_script(name, h5(), tmp_path / "start.npz", "float64", 5, tmp_path / "out")
    with np.load(tmp_path / "out" / NETWORK) as saved:
        for letter, array in numpy_pixels(problem)(5).items():
            np.testing.assert_allclose(saved[letter], array, rtol=1e-9, atol=1e-15)
    assert (tmp_path / "out" / PICTURE).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_small_comparison_of_whole_scripts(
    h5: Callable[..., Path],
    jaxnet: Callable[..., Result],
    undrawn: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[str, str, str]] = []

    def run_here(module: str, *arguments: Any, **variables: str) -> Times:
        if module == "jaxnet":
            assert jaxnet(*arguments).code == 0
            dtype = arguments[arguments.index("--precision") + 1]
        else:
            run_script(*arguments)
            dtype = arguments[3]
        started.append((module, dtype, variables["XDG_CACHE_HOME"]))
        return Times(len(started), 0)

    monkeypatch.setattr(starts, "time_module", run_here)
    monkeypatch.setattr(starts, "Worker", Here)
    monkeypatch.setattr(benchmark_scripts, "ON_PIXELS", ("NumPy",))
    numbers = benchmark_scripts.main(str(h5()), iterations=5, rounds=1).numbers
    assert numbers["largest difference of the final costs in float64"] < 1e-12
    script = "experiments.benchmarking.script"
    assert [module for module, *_ in started] == [script, *["jaxnet"] * 2, script, *["jaxnet"] * 2]
    assert [dtype for _, dtype, _ in started] == ["float64"] * 2 + ["float32"] * 4
    (_, check, warm, _, cold, again) = (cache for *_, cache in started)
    assert len({check, warm, cold}) == 3, "only the warm starts share their compiled programs"
    assert warm == again
    (times,) = numbers["scripts, seconds"].values()
    assert {name: time["wall"] for name, time in times.items()} == {"NumPy": 4, COLD: 5, WARM: 6}
    assert list(numbers.values())[:2] == [6 / 4, 5 / 4]
    (first,) = numbers["first trainings, seconds"].values()
    assert list(first) == ["NumPy", COLD, WARM]


def test_a_process_is_timed_and_its_failure_told(capfd: pytest.CaptureFixture[str]) -> None:
    times = starts.time_module("this")
    assert times.wall > 0
    assert times.cpu > 0
    with pytest.raises(subprocess.CalledProcessError):
        starts.time_module("no_such_module")


def test_the_tables_of_whole_scripts() -> None:
    times = {"NumPy": Times(8, 9), "PyTorch": Times(4, 6), COLD: Times(3, 5), WARM: Times(1, 2)}
    assert share(times, WARM) == 0.25
    assert scripts_table({"a": times, "b": times}, 2500, ["scikit-learn"]).splitlines() == [
        "| from start to exit, 2,500 iterations "
        "| a: seconds | of all cores | of the fastest script "
        "| b: seconds | of all cores | of the fastest script |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| NumPy | 8.00 | 9.00 | 2.00 | 8.00 | 9.00 | 2.00 |",
        "| PyTorch | 4.00 | 6.00 | 1.00 | 4.00 | 6.00 | 1.00 |",
        "| jaxnet, cold | 3.00 | 5.00 | 0.75 | 3.00 | 5.00 | 0.75 |",
        "| jaxnet, warm | 1.00 | 2.00 | 0.25 | 1.00 | 2.00 | 0.25 |",
        "| scikit-learn | missing | | | | | |",
    ]
    assert first_table({"a": {"NumPy": 1.5}}, 20).splitlines() == [
        "| first training of a process, 20 iterations | a: seconds |",
        "| --- | ---: |",
        "| NumPy | 1.50 |",
    ]
