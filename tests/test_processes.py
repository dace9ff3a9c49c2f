"""Several devices and several processes against one: the same results, and one clear error.

The processes are started by the real mpirun, over loopback. JAXNET_PROCESSES=20 kills processes of
a training and of a sweep twenty times each, and tries two machines as two network namespaces.
"""

import contextlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from jaxnet import UsageError, join_processes, load_dataset, load_run, process_count, process_index
from jaxnet.many.grid import Grid
from jaxnet.processes import by_first, gather, gather_objects, in_any, own_share, require_alike
from jaxnet.runs.sweep_file import SweepRun, continue_sweep, start_sweep
from jaxnet.settings import Settings

KILLS = int(os.environ.get("JAXNET_PROCESSES", "0"))
asked_for = pytest.mark.skipif(not KILLS, reason="JAXNET_PROCESSES is not set")

# By Debian's Open MPI 4, as root and over loopback only, too.
MPIRUN = "mpirun --allow-run-as-root --oversubscribe --mca oob_tcp_if_include lo"
MPIRUN += " --mca btl_tcp_if_include lo -n"
with_mpirun = pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no mpirun")


def start(count: int, *command: object, **options: Any) -> "subprocess.Popen[str]":
    """Start so many processes of a Python program."""
    words = [*MPIRUN.split(), str(count), sys.executable, *map(str, command)]
    streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, text=True, **(streams | options))


def run(count: int, *command: object, **options: Any) -> tuple[int, str, str]:
    process = start(count, *command, **options)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


# Several devices.

# One after the other on four devices, on two and on the first one, which must agree to rounding.
ON_DEVICES = """
import dataclasses
import sys
import jax

jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
import optax
from jaxnet import descent, fit, init_params, resume, sharing, train, Dataset, Settings, Split
from jaxnet import Examples
from jaxnet import open_pictures
from jaxnet.data.hdf5 import write_hdf5

draw = np.random.default_rng(0)
devices = sharing.find_training_devices(of_all_processes=False)
assert len(devices) == 4


def on(some, function):
    sharing.find_training_devices = lambda of_all_processes: some
    return function()


def require_same(ours, theirs):
    np.testing.assert_allclose(ours.costs, theirs.costs, rtol=1e-12)
    assert ours.outcome == theirs.outcome
    for name, leaf in theirs.params.items():
        np.testing.assert_allclose(ours.params[name], leaf, rtol=1e-11, atol=1e-13)
        assert ours.params[name].devices() == {devices[0]}


def compare(m, **options):
    X = jnp.asarray(draw.normal(size=(5, m)))
    Y = jnp.asarray((np.arange(m) % 3 == 0)[None].astype(float))
    if options.pop("weighted", False):
        options["weights"] = jnp.asarray(draw.uniform(size=(1, m)))
    params = init_params(jax.random.key(0), 5, 3, weight_scale=0.5, dtype=jnp.float64)
    train = lambda: fit(params, X, Y, basis="pixels", iterations=12, **options)
    one = on(devices[:1], train)
    for some in (devices, devices[:2]):
        ours = on(some, train)
        require_same(ours, one)
        np.testing.assert_array_equal(ours.costs, on(some, train).costs)


fast = {"learning_rate": 0.3}
compare(12, **fast)
compare(13, weighted=True, momentum=0.9, weight_decay=0.2, **fast)
compare(3, **fast)  # fewer than devices
descent.BLOCK_BYTES, descent.LEAST_BLOCKS = 2 * 5 * 8, 3  # so that one device works in blocks
compare(13, weighted=True, **fast)
compare(13, batch=5, weighted=True, momentum=0.9, nesterov=True, weight_decay=0.2, **fast)
compare(13, batch=3, optimizer=optax.adam(0.1))
watched = Examples(jnp.asarray(draw.normal(size=(5, 6))), jnp.asarray([[0.0, 1.0] * 3]))
compare(13, validation=watched, patience=2, learning_rate=3.0)

# From the files, stopped in the midst of an epoch on all devices, continued on one.
images = draw.integers(0, 256, (11, 4, 4, 3), dtype=np.uint8)
split = Split(images, np.arange(11) % 2)
data = Dataset(split, split, ("dog", "cat"), "drawn")
write_hdf5(sys.argv[1], data)
pictures = open_pictures(sys.argv[1])
settings = Settings(
    batch=3, epochs=4, precision="float64", learning_rate=0.1, hidden_units=3, shift=1
)
one = on(devices[:1], lambda: train(pictures, settings))
shorter = dataclasses.replace(settings, epochs=None, iterations=6)
for some in (devices, devices[:2]):
    ours = on(some, lambda: train(pictures, settings))
    np.testing.assert_allclose(ours.costs, one.costs, rtol=1e-12)
    in_memory = on(some, lambda: train(data, settings))
    np.testing.assert_allclose(in_memory.costs, one.costs, rtol=1e-12)
    half = on(some, lambda: train(pictures, shorter))
    ended = on(devices[:1], lambda: resume(half, pictures, iterations=16))
    np.testing.assert_allclose(ended.costs, one.costs, rtol=1e-12)
"""


@pytest.mark.slow
def test_devices_share_out_the_examples(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ON_DEVICES, str(tmp_path / "a.h5")]
    subprocess.run(command, check=True, timeout=300)


# One process.


def test_a_process_that_works_alone_has_nobody_to_ask() -> None:
    assert (process_count(), process_index()) == (1, 0)
    assert gather("a") == ["a"]
    assert gather_objects([1]) == [[1]]
    assert own_share([1, 2, 3]) == [1, 2, 3]
    assert by_first(lambda: 3) == 3
    assert in_any(True)
    assert not in_any(False)
    require_alike(settings=Settings())


def test_what_cannot_be_joined_is_refused() -> None:
    jax.devices()
    with pytest.raises(UsageError, match="JAX is in use already"):
        join_processes("127.0.0.1:12345", 1, 0)
    for wrong in ("node1", "node1:0", ":3", "node1:http", 3):
        with pytest.raises(UsageError, match="coordinator is "):
            join_processes(wrong, 2, 0)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="index is -1"):
        join_processes("node1:12345", 2, -1)
    with pytest.raises(UsageError, match="timeout is 0"):
        join_processes(timeout=0)


JOIN = """
import sys
from jaxnet import UsageError, join_processes

try:
    join_processes(*eval(sys.argv[1]), timeout=3)
except UsageError as error:
    print(error.found)
"""


@pytest.mark.slow
def test_processes_that_do_not_come_together_are_told_why() -> None:
    """Within the time that they were given, and they end by themselves."""
    cases = {
        "('127.0.0.1:1', 2, 1)": "process 1 of 2 waited 3 s for the first process at 127.0.0.1:1",
        f"('127.0.0.1:{random.randint(20000, 60000)}', 2, 0)": "not all of them have started",
        "('127.0.0.1:12345', 2, 2)": "the processes cannot be joined",
    }
    surroundings = {name: v for name, v in os.environ.items() if not name.startswith("SLURM_")}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", JOIN, arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=surroundings,
        )
        for arguments in cases
    ]
    for child, found in zip(children, cases.values(), strict=True):
        assert found in child.communicate(timeout=120)[0]
        assert child.returncode == 0


# Two processes.

# What each part begins with.
TOGETHER = """
import contextlib, dataclasses, json, shutil, sys, tempfile
from pathlib import Path

import jaxnet
from jaxnet.data.hdf5 import write_hdf5
from jaxnet.processes import by_first, gather, gather_objects, in_any, own_share, require_alike

jaxnet.join_processes(*sys.argv[1:2], *map(int, sys.argv[2:]))
import jax
import numpy as np

index, count = jaxnet.process_index(), jaxnet.process_count()

def refused(act):
    try:
        act()
    except jaxnet.UsageError as error:
        return error.found
    raise AssertionError("not refused")

def require_same(ours, theirs):
    np.testing.assert_allclose(ours.costs, theirs.costs, rtol=1e-12)
    for name, leaf in theirs.model.params.items():
        np.testing.assert_allclose(ours.model.params[name], leaf, rtol=1e-11, atol=1e-13)

data = jaxnet.load_dataset("sketches", count=25, size=8)
shared = jaxnet.Settings(precision="float64", iterations=9, learning_rate=0.1, hidden_units=3)
other = jaxnet.load_dataset("sketches", count=25, size=8, data_seed=index)
"""

COMMUNICATION = """
assert gather(f"process {index}") == [f"process {i}" for i in range(count)]
assert by_first(lambda: index) == 0
assert in_any(index == 1) and not in_any(False)
assert sum(gather_objects(own_share(list(range(7)))), start=[]) == [0, 2, 4, 6, 1, 3, 5]
assert [len(text) for text in gather_objects("x" * 10**6 * index)] == [0, 10**6]

found = "process 1 of 2 has other settings than process 0"
assert refused(lambda: require_alike(pictures=np.arange(3), settings=index)) == found
assert refused(lambda: by_first(lambda: jaxnet.Settings(hidden_units=0))).startswith("hidden_units")
"""

# Stopped by one of them; continued by one alone, and by both.
TRAINING = """
settings = dataclasses.replace(shared, basis="pixels")
run = jaxnet.train(data, settings)
assert run.descent.X.shape == (64, [13, 12][index])
with jaxnet.alone():
    require_same(run, jaxnet.train(data, settings))
half = jaxnet.train(data, settings, hook=lambda run: index == 1 and len(run.costs) == 4, chunk=2)
assert (half.outcome, len(half.costs)) == ("stopped", 4)
require_same(jaxnet.resume(half, data), run)
with jaxnet.alone():
    require_same(jaxnet.resume(half, data), run)

found = refused(lambda: jaxnet.train(other, settings))
assert found == "process 1 of 2 has other pictures than process 0", found
"""

BASES = """
for changes in ({"basis": "pixels", "batch": 7}, {"basis": "span"}):
    settings = dataclasses.replace(shared, **changes)
    run = jaxnet.train(data, settings)
    held = 25 if run.settings.basis == "span" else [13, 12][index]  # of X
    assert run.descent.X.shape == (64, held)
    with jaxnet.alone():
        require_same(run, jaxnet.train(data, settings))
"""

# From a file each reads its part: of two epochs, and of the pictures that the outcome depends on.
STREAM = """
read = []

@contextlib.contextmanager
def counting(self, opened=jaxnet.StoredPictures.open):
    with opened(self) as read_block:
        def count(first, last, out):
            read.append(last - first)
            read_block(first, last, out)
        yield count

folder = Path(by_first(lambda: tempfile.mkdtemp()))
by_first(lambda: write_hdf5(folder / "a.h5", data))
write_hdf5(folder / f"{index}.h5", other)
pictures = jaxnet.open_pictures(folder / "a.h5")
assert len(pictures.sha256) == 64
jaxnet.StoredPictures.open = counting
settings = dataclasses.replace(shared, batch=7, iterations=8, balanced=True)
run = jaxnet.train(pictures, settings)
assert sum(read) == 3 * [13, 12][index], read
half = jaxnet.train(pictures, settings, hook=lambda run: True)
require_same(jaxnet.resume(half, pictures), run)
with jaxnet.alone():
    require_same(run, jaxnet.train(pictures, settings))
    require_same(jaxnet.resume(half, pictures), run)
assert (half.outcome, len(half.costs)) == ("stopped", 4)
others = jaxnet.open_pictures(folder / f"{index}.h5")
found = refused(lambda: jaxnet.train(others, settings))
assert found == "process 1 of 2 has other pictures than process 0", found
gather("")
by_first(lambda: shutil.rmtree(folder))
"""

NETWORKS = """
grid = jaxnet.Grid((0.01, 0.1), (0.1, "he"), 3)
swept = jaxnet.sweep(data, grid, shared)
with jaxnet.alone():
    whole = jaxnet.sweep(data, grid, shared)
for name, array in whole.arrays.items():
    np.testing.assert_array_equal(swept.arrays[name], array)

trained = []
import jaxnet.many.seeds as module
train_networks = module.train_networks
module.train_networks = lambda *a, **k: trained.extend(k["seeds"]) or train_networks(*a, **k)
for number in (5, 1):
    trained.clear()
    ours = jaxnet.train_seeds(data, shared, seeds=number)
    assert trained == list(range(number))[index::2], trained
    with jaxnet.alone():
        theirs = jaxnet.train_seeds(data, shared, seeds=number)
    assert ours.kept == theirs.kept
    np.testing.assert_array_equal(ours.outcomes, theirs.outcomes)
    np.testing.assert_allclose(ours.last_costs, theirs.last_costs, rtol=1e-12)
    for name, A2 in theirs.probabilities.items():
        np.testing.assert_allclose(ours.probabilities[name], A2, rtol=1e-11)
"""

LAST = """
if jaxnet.is_first_process():
    print("processes:", count)
"""


@with_mpirun
@pytest.mark.parametrize(
    "parts",
    [
        (COMMUNICATION, TRAINING),
        pytest.param((BASES, STREAM, NETWORKS), marks=pytest.mark.slow),
    ],
    ids=["a training", "batches, streams and many networks"],
)
def test_two_processes_come_to_what_one_does(parts: tuple[str, ...]) -> None:
    code, out, err = run(2, "-c", "\n".join((TOGETHER, *parts, LAST)))
    assert code == 0, out + err
    assert out.splitlines()[-1] == "processes: 2"


# The commands.

PICTURES = ("--data", "sketches", "--count", 40, "--size", 16)
TRAIN: tuple[Any, ...] = (
    "-m",
    "jaxnet",
    "train",
    *PICTURES,
    "--precision",
    "float64",
    "--basis",
    "pixels",
)
TRAIN += ("--iterations", 500, "--learning-rate", 0.1, "--no-page")
SEEDS = ("-m", "jaxnet", "train", *PICTURES, "--iterations", 30, "--seeds", 5, "--no-page")
SWEEP = ("-m", "jaxnet", "sweep", *PICTURES, "--learning-rates", "0.01:1:6", "--seeds", 60)
AXES, SWEPT = Grid((0.01, 0.0251189, 0.0630957, 0.158489, 0.398107, 1.0), seeds=60), Settings()


# A function, and one command after the other; none comes to start JAX.
UNLAUNCHED = """
import sys
from jaxnet import UsageError, join_processes
from jaxnet.commands.main import main
try:
    join_processes()
except UsageError as error:
    assert "JAX finds no launcher" in error.found
else:
    raise AssertionError("joined")
for command in ("train", "sweep"):
    sys.argv = ["jaxnet", command, "--distributed"]
    try:
        main()
    except SystemExit as end:
        assert end.code == 2, (command, end.code)
    else:
        raise AssertionError(command)
"""


def test_a_command_that_no_launcher_has_started_says_so() -> None:
    command = [sys.executable, "-c", UNLAUNCHED]
    surroundings = {name: v for name, v in os.environ.items() if not name.startswith("SLURM_")}
    child = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
    assert child.returncode == 0, child.stderr
    assert child.stderr.count("JAX finds no launcher") == 2
    assert child.stdout == ""


# Process 1 is started with another option.
ONE_DIFFERS = """
import os, sys
from jaxnet.commands.main import main
sys.argv += ["--seed", os.environ["OMPI_COMM_WORLD_RANK"]]
main()
"""


@asked_for
@with_mpirun
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_commands_answer_once_and_as_one_process_does(count: int, tmp_path: Path) -> None:
    for number, more in enumerate(((), ("--batch", 7))):
        words = (*TRAIN, "--iterations", 30, *more)
        alone = [sys.executable, *map(str, words), "--out", f"alone{number}"]
        subprocess.run(alone, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
        together = (*words, "--distributed", "--out", f"run{number}")
        code, out, err = run(count, *together, "--json", cwd=tmp_path)
        assert code == 0, err
        assert json.loads(out)["iterations"] == 30
        assert err.count(f"Processes: {count}. ") == (count > 1)
        ours, theirs = (load_run(tmp_path / f"{name}{number}") for name in ("run", "alone"))
        np.testing.assert_allclose(ours.costs, theirs.costs, rtol=1e-12)
        code, out, err = run(count, *together, cwd=tmp_path)
        assert code == 2
        assert (out + err).count("run0 is not empty" if number == 0 else "run1 is not empty") == 1
    seeds = (*SEEDS, "--distributed", "--out", "seeds", "--json")
    code, out, err = run(count, *seeds, cwd=tmp_path)
    assert code == 0, err
    assert json.loads(out)["seeds"]["seeds"] == [0, 1, 2, 3, 4]
    if count > 1:
        other = ("-c", ONE_DIFFERS, *TRAIN[2:], "--distributed", "--out", "other")
        code, out, err = run(count, *other, cwd=tmp_path)
        assert code == 2
        assert err.count("process 1 of") == err.count("has other options than process 0") == 1
        assert not (tmp_path / "other").exists()


def ranks_of(mpirun: int) -> list[int]:
    """Return the processes that mpirun has started, once they run."""
    path = Path(f"/proc/{mpirun}/task/{mpirun}/children")
    return [int(number) for number in path.read_text().split()]


def kill_one(process: "subprocess.Popen[str]", saved: Path, draw: random.Random) -> int:
    """Kill one of the processes that mpirun has started; return mpirun's exit code.

    The moment is one of the first seconds, or of those after something was saved. All must end
    within a minute.
    """
    before = changed_at(saved)
    begun = time.monotonic()
    if draw.random() < 0.3:
        time.sleep(draw.uniform(0, 10))
    else:
        while process.poll() is None and changed_at(saved) == before:
            assert time.monotonic() - begun < 300
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 3))
    ranks = ranks_of(process.pid) if process.poll() is None else []
    if ranks:
        os.kill(draw.choice(ranks), signal.SIGKILL)
    killed = time.monotonic()
    process.communicate(timeout=60)
    while any(map(is_running, ranks)):
        assert time.monotonic() - killed < 60
        time.sleep(0.1)
    return process.returncode


def changed_at(path: Path) -> int:
    """Return when a file, or one in a folder, was changed last; 0 if there is none."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime_ns
    return 0


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@asked_for
@with_mpirun
def test_a_training_whose_processes_are_killed_is_continued_by_any_number(tmp_path: Path) -> None:
    assert run(2, *TRAIN, "--distributed", "--out", "whole", cwd=tmp_path)[0] == 0
    whole = load_run(tmp_path / "whole")
    alone = [sys.executable, *map(str, TRAIN), "--out", "alone"]
    subprocess.run(alone, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    np.testing.assert_allclose(load_run(tmp_path / "alone").costs, whole.costs, rtol=1e-12)

    draw = random.Random(0)
    kills, made = 0, 0
    resume = ("-m", "jaxnet", "train", "--resume", "run", "--no-page", "--distributed")
    while kills < KILLS:
        if made in (0, len(whole.costs)):
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            made = 0
        command = resume if made else (*TRAIN, "--distributed", "--out", "run")
        count = draw.choice([2, 3])
        process = start(count, *command, "--checkpoint-every", 20, cwd=tmp_path)
        code = kill_one(process, tmp_path / "run" / "model.h5", draw)
        kills += code != 0
        if (tmp_path / "run" / "model.h5").exists():
            costs = load_run(tmp_path / "run").costs
            assert len(costs) >= made
            made = len(costs)
            print(f"kill {kills}: exit code {code}, {made} iterations")
            np.testing.assert_allclose(costs, whole.costs[:made], rtol=1e-12)
    if made:
        code, out, err = run(3, *resume, cwd=tmp_path)
        assert code == 0, out + err
        ended = load_run(tmp_path / "run")
        np.testing.assert_allclose(ended.costs, whole.costs, rtol=1e-12)
        for name, leaf in whole.model.params.items():
            np.testing.assert_allclose(ended.model.params[name], leaf, rtol=1e-10, atol=1e-12)


@asked_for
@with_mpirun
def test_a_sweep_whose_processes_are_killed_is_continued_by_any_number(tmp_path: Path) -> None:
    alone = [sys.executable, *map(str, SWEEP), "--out", "whole"]
    subprocess.run(alone, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    dataset = load_dataset("sketches", count=40, size=16)

    def blank() -> SweepRun:
        return start_sweep(dataset, AXES, SWEPT)

    whole = continue_sweep(tmp_path / "whole", blank()).result
    assert (whole.outcomes != "").all()

    draw = random.Random(0)
    kills, trained = 0, 0
    while kills < KILLS:
        if trained == whole.outcomes.size or not (tmp_path / "run" / "sweep.h5").exists():
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            trained = 0
        count = draw.choice([2, 3])
        command = ("-c", IN_SMALL_PARTS, *map(str, SWEEP[2:]), "--distributed", "--out", "run")
        process = start(count, *command, cwd=tmp_path)
        code = kill_one(process, tmp_path / "run" / "sweep.parts", draw)
        kills += code != 0
        if (tmp_path / "run" / "sweep.h5").exists():
            reached = continue_sweep(tmp_path / "run", blank())
            print(f"kill {kills}: exit code {code}, {reached.trained} networks")
            assert reached.trained >= trained
            trained, known = reached.trained, reached.result.outcomes != ""
            ours, theirs = reached.result.last_costs[known], whole.last_costs[known]
            np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    code, out, err = run(3, *SWEEP, "--distributed", "--out", "run", "--json", cwd=tmp_path)
    assert code == 0, out + err
    assert json.loads(out)["outcomes"]["to be trained"] == 0
    ended = continue_sweep(tmp_path / "run", blank()).result
    np.testing.assert_allclose(ended.last_costs, whole.last_costs, rtol=1e-3)
    assert not (tmp_path / "run" / "sweep.parts").exists()


# Each process saves after every part of six networks.
IN_SMALL_PARTS = """
from jaxnet.commands.main import main
from jaxnet.many import sweep
from jaxnet.runs import sweep_file

sweep.NETWORKS_A_PART, sweep_file.SECONDS_A_PART, sweep_file.TRAINING_A_WRITING = 6, 0, 0
main()
"""


# Two machines.


@pytest.fixture
def machines() -> Iterator[list[tuple[str, str]]]:
    """Two network namespaces behind a switch, as two machines: the name and the address of each."""
    switch = f"jx{uuid.uuid4().hex[:8]}"
    found = [(f"{switch}{letter}", f"10.83.0.{i}") for i, letter in enumerate("ab", start=1)]

    def ip(line: str) -> None:
        subprocess.run(["ip", *line.split()], check=True)

    ip(f"link add {switch} type bridge")
    ip(f"link set {switch} up")
    try:
        for name, address in found:
            ip(f"netns add {name}")
            # A machine knows itself by its name, which is that of the real one.
            hosts = Path("/etc/netns") / name / "hosts"
            hosts.parent.mkdir(parents=True)
            hosts.write_text(f"127.0.0.1 localhost\n{address} {platform.node()}\n")
            ip(f"link add {name} type veth peer name eth0 netns {name}")
            ip(f"link set {name} master {switch} up")
            ip(f"-n {name} addr add {address}/24 dev eth0")
            ip(f"-n {name} link set eth0 up")
            ip(f"-n {name} link set lo up")
        yield found
    finally:
        for name, _ in found:
            subprocess.run(["ip", "netns", "delete", name], check=False)
            shutil.rmtree(Path("/etc/netns") / name, ignore_errors=True)
        ip(f"link delete {switch}")


def start_on(machines: list[tuple[str, str]], program: str) -> "list[subprocess.Popen[str]]":
    """Start a process of a program on each machine."""
    address = f"{machines[0][1]}:23456"
    return [
        subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-c", program, address, "2", str(index)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index, (name, _) in enumerate(machines)
    ]


@asked_for
def test_two_machines_come_to_what_one_does(machines: list[tuple[str, str]]) -> None:
    for process in start_on(machines, TOGETHER):
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err


FOR_LONG = """
import sys
import jaxnet

jaxnet.join_processes(sys.argv[1], 2, int(sys.argv[3]))
data = jaxnet.load_dataset("sketches", count=40, size=16)
print("joined", flush=True)
settings = jaxnet.Settings(basis="pixels", iterations=10**7)
jaxnet.train(data, settings)
"""


@asked_for
@pytest.mark.parametrize("lost", [0, 1])
def test_a_machine_that_is_lost_ends_the_others(lost: int, machines: list[tuple[str, str]]) -> None:
    processes = start_on(machines, FOR_LONG)
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "joined\n"
    time.sleep(10)
    name = machines[lost][0]
    subprocess.run(["ip", "-n", name, "link", "set", "eth0", "down"], check=True)
    began = time.monotonic()
    for process in processes:
        process.communicate(timeout=60)
        print(f"ended with {process.returncode} after {time.monotonic() - began:.0f} s")
        assert process.returncode != 0
    assert time.monotonic() - began < 60
