"""The command in unusual surroundings: devices, streams, home folders, limits, settings of JAX."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import pytest
from conftest import Result

from jaxnet import devices
from jaxnet.data.load import load_dataset
from jaxnet.errors import UsageError
from jaxnet.report import console
from jaxnet.report.streams import SteadyConsole
from jaxnet.runs.export import export_model
from jaxnet.runs.model_file import load_model, save_model
from jaxnet.runs.run import load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings

Run = Callable[..., Result]
POSIX = pytest.mark.skipif(os.name != "posix", reason="streams are closed otherwise")


def python(code: str, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


COMMANDS = """
import contextlib, io, sys
from jaxnet.commands.main import main
run, pets = sys.argv[1:]
for words in (
    f"train --data {pets} --out new", f"train --resume {run} --iterations 9",
    f"predict {run} {pets}/cat/01.png", f"evaluate {run}", f"export {run}", f"page {run}", "check",
    f"check {run}", f"sweep --data {pets} --out new", f"leave-one-out --data {pets} --out new",
    f"repeat {run}",
):
    sys.argv[1:] = words.split()
    text = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(text):
        try:
            main()
        except SystemExit as end:
            code = end.code
    error = text.getvalue()
    assert code == 2, (words, code)
    assert 'Error: JAX is told to use "typo" (JAX_PLATFORMS), but cannot: ' in error, (words, error)
    assert "unset JAX_PLATFORMS, or set it to cpu" in error
sys.argv[1:] = ["info"]
main()
"""

LIBRARY = """
import numpy as np
import jaxnet
f = lambda *shape: np.ones(shape, np.float32)
params, X, Y = {"W1": f(3, 5), "b1": f(3, 1), "W2": f(1, 3), "b2": f(1, 1)}, f(5, 7), f(1, 7)
data = jaxnet.Dataset(
    jaxnet.Split(np.zeros((4, 2, 2, 3), np.uint8), np.array([0, 1, 0, 1])), None, ("a", "b"), "x"
)
model = jaxnet.Model(params | {"W1": f(3, 4)}, jaxnet.Preprocessing(2, 2), ("a", "b"))
grid = jaxnet.Grid(learning_rates="0.01", weight_scales="0.01", seeds=1)
jaxnet.save_model("m.h5", model)
for call in (
    lambda: jaxnet.init_params(0, 5), lambda: jaxnet.forward(params, X),
    lambda: jaxnet.loss(params, X, Y), lambda: jaxnet.backward(params, X, Y),
    lambda: jaxnet.predict(params, X), lambda: jaxnet.fit(params, X, Y, iterations=1),
    lambda: jaxnet.sharpness(params, X, Y), lambda: jaxnet.start_descent(params, X),
    lambda: jaxnet.to_columns(data.train.images), lambda: jaxnet.to_row([0, 1]),
    lambda: jaxnet.balancing_weights(Y),
    lambda: jaxnet.train(data), lambda: jaxnet.load_model("m.h5"),
    lambda: jaxnet.load_run("m.h5"), lambda: model.predict_images(data.train.images),
    lambda: jaxnet.export_model(model, "m.hlo", "stablehlo"), jaxnet.check_pipeline,
    lambda: jaxnet.sweep(jaxnet.Examples(X, Y), grid), lambda: jaxnet.train_seeds(data, seeds=2),
    lambda: jaxnet.leave_one_out(data, seeds=2),
):
    try:
        call()
    except jaxnet.UsageError as error:
        assert 'told to use "cuda" (JAX_PLATFORMS), but cannot: it finds no device' in str(error)
    else:
        raise AssertionError(call.__code__.co_firstlineno)
assert jaxnet.info().device_error.startswith("JAX is told to use")
"""


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Path:
    data = load_dataset(folder, size=4)
    return train(data, Settings(iterations=2)).save(tmp_path / "run")


@pytest.mark.slow
def test_a_device_that_is_missing_is_told_by_every_command(run: Path, folder: Path) -> None:
    done = python(COMMANDS, run, folder, JAX_PLATFORMS="typo")
    assert done.returncode == 0, done.stderr
    assert "JAX_PLATFORMS=typo" in done.stdout
    assert "'typo' is not in the list of known backends" in done.stdout


def test_a_device_that_is_missing_is_told_by_every_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if any(device.platform == "gpu" for device in jax.devices()):
        pytest.skip("this machine has a GPU")
    done = python(LIBRARY, JAX_PLATFORMS="cuda")
    assert done.returncode == 0, done.stderr


def test_why_a_plugin_of_jax_fails_is_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        try:
            raise OSError("no libcuda.so")
        except OSError:
            logging.getLogger("jax._src.xla_bridge").exception("calling %s.initialize()", "cuda")
        raise RuntimeError("Unable to initialize backend 'cuda': unknown")

    monkeypatch.setattr(jax, "devices", fail)
    with pytest.raises(UsageError, match=r"a plugin of JAX fails \(OSError: no libcuda\.so\)"):
        devices.find_devices()
    (record,) = caplog.records
    assert record.getMessage() == "calling cuda.initialize(): OSError: no libcuda.so"
    assert record.exc_info is None


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(closed: str, folder: Path, tmp_path: Path) -> None:
    """The file that is written must not take the number of a closed stream."""
    command = f'"{sys.executable}" -m jaxnet data "{folder}" --size 4 --write pets.h5 {closed}'
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert load_dataset(tmp_path / "pets.h5").train.images.shape == (10, 4, 4, 3)


@POSIX
def test_no_file_takes_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = """
import sys
from jaxnet.report.streams import steady_streams
steady_streams()
with open('number', 'w') as file:
    file.write(str(file.fileno()))
"""
    command = f'"{sys.executable}" -c "{code}" <&- >&- 2>&-'
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert int((tmp_path / "number").read_text()) > 2


@pytest.mark.slow
@POSIX
def test_a_reader_that_ends_stops_no_command(folder: Path, tmp_path: Path) -> None:
    """The file is written after the table has met no reader."""
    words = f'data "{folder}" --size 4 --write pets.h5'
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        f'"{sys.executable}" -m jaxnet {words}',
        shell=True,
        cwd=tmp_path,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 0, done.stderr
    assert b"BrokenPipe" not in done.stderr
    assert load_dataset(tmp_path / "pets.h5").train.images.shape == (10, 4, 4, 3)


def test_a_console_without_a_reader_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        printer = SteadyConsole()
        printer.print("one")
        printer.print("two")


@pytest.mark.slow
@POSIX
def test_a_home_that_cannot_be_written_to_is_no_matter(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = str(tmp_path / "file" / "home")  # which nobody can make, root neither
    environment = os.environ | {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
    for name in ("JAX_COMPILATION_CACHE_DIR", "MPLCONFIGDIR"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "jaxnet", "data", folder, "--size", "4", "--sheet", "sheet.png"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "sheet.png").exists()


def test_a_limit_on_memory_is_told_beforehand(jaxnet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    monkeypatch.setattr(console, "free_address_space", lambda: 2**29)
    assert "memory is limited to 512.0 MiB (ulimit -v)" in jaxnet("--version").err
    monkeypatch.setattr(console, "free_address_space", lambda: console.ADDRESS_SPACE)
    assert jaxnet("--version").err == ""


@pytest.mark.slow
def test_settings_of_jax(run: Path, folder: Path) -> None:
    words = ["predict", str(run), str(folder / "cat" / "01.png")]
    code = f"import sys; sys.argv[1:] = {words}; import jaxnet.__main__"
    refused = python(code, JAX_ENABLE_X64="yess")
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: JAX refuses one of its settings: ")
    assert "'yess' for environment 'JAX_ENABLE_X64'" in refused.stderr
    # In a process of its own: what another test has transferred already is not refused.
    words = ["train", "--data", str(folder), "--size", "4", "--out", str(run.with_name("guarded"))]
    code = f"import sys; sys.argv[1:] = {words}; import jaxnet.__main__"
    guarded = python(code, JAX_TRANSFER_GUARD="disallow")
    assert guarded.returncode == 2
    assert guarded.stderr.splitlines()[-3].startswith("Error: JAX is set to refuse a transfer")


def test_what_nobody_expected_keeps_its_traceback_and_says_where_to_report() -> None:
    def broken() -> None:
        raise AttributeError("'NoneType' object has no attribute 'shape'")

    with pytest.raises(AttributeError) as caught:
        console.run_command(broken)
    (note,) = caught.value.__notes__
    assert "a fault of jaxnet" in note
    assert "issue tracker" in note
    assert "`jaxnet info`" in note


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_home_folder_in_paths(
    jaxnet: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    quick = ("--size", "4", "--iterations", "2")
    data = f"--data={folder}"
    assert jaxnet("train", data, *quick, "--no-page", "--out=~/run").code == 0
    assert jaxnet("train", "--resume=~/run", "--no-page").code == 0
    assert jaxnet("export", "~/run", "--out=~/net.npz", "--format=npz", "--json").code == 0
    assert jaxnet("export", "~/run").code == 0
    assert jaxnet("data", folder, "--write=~/pets.h5", "--sheet=~/pets.png").code == 0
    assert "train" in jaxnet("data", "~/pets.h5").out
    axes = ("--seeds=1", "--learning-rates=0.01", "--weight-scales=0.01")
    for _ in range(2):  # the second continues the first
        assert jaxnet("sweep", data, *quick, *axes, "--out=~/sweep").code == 0
    (home / "1.png").write_bytes((folder / "cat" / "01.png").read_bytes())
    assert jaxnet("predict", "~/run", "~/1.png").code == 0
    assert not Path("~").exists()
    names = {"run", "net.npz", "pets.h5", "pets.png", "sweep", "1.png"}
    assert visible(home) == names
    assert (home / "run" / "model.safetensors").exists()

    model = load_model("~/run")
    assert model.predict_files("~/1.png").shape == (1,)
    save_model("~/again.h5", model)
    export_model(model, "~/again.npz", "npz")
    load_run("~/run").save("~/copy")
    assert visible(home) == names | {"again.h5", "again.npz", "copy"}
    assert not Path("~").exists()
