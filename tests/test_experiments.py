"""How every experiment is run: by itself, and all of them in one table."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from experiments import Result, answer, new_figure
from experiments.__main__ import EXPERIMENTS
from experiments.__main__ import main as run_all

ROOT = Path(__file__).parent.parent


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_one_experiment_from_the_command_line(tmp_path: Path) -> None:
    done = run("experiments.parameter_count", "--n-h", "3", "--out", tmp_path)
    assert done.returncode == 0
    assert "12,295" in done.stdout
    kept = json.loads((tmp_path / "parameter_count.json").read_text("utf-8"))
    assert kept["numbers"]["parameters"] == 12295
    with Image.open(tmp_path / "parameter_count.png") as image:
        assert min(image.size) > 300

    wrong = run("experiments.learning_map", "--window", "3", "--out", tmp_path)
    assert wrong.returncode == 2
    assert 'the window is "3"' in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_the_help_of_an_experiment_is_its_docstring() -> None:
    done = run("experiments.learning_map", "--help")
    assert "Which pairs of learning rates" in done.stdout
    assert "--window" in done.stdout
    assert "0.001:100,0.001:100" in done.stdout


def parameter_count() -> Result:
    return Result("It is so.", False, {"n": 1.5, "all": {"a": [1, 2]}}, Figure())


def test_an_answer_is_written(tmp_path: Path) -> None:
    result, paths, seconds = answer(parameter_count, tmp_path / "new")
    assert [path.suffix for path in paths] == [".json", ".png"]
    kept = json.loads(paths[0].read_text("utf-8"))
    assert kept == {"claim": result.claim, "holds": False, "numbers": result.numbers}
    assert seconds > 0


def test_a_long_claim_is_broken_over_lines() -> None:
    figure, axes = new_figure("a claim " * 30, 2, 3)
    assert axes.shape == (2, 3)
    assert max(map(len, figure.get_suptitle().splitlines())) <= 76


def test_the_table_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = sys.modules["experiments.__main__"]
    monkeypatch.setattr(everything, "EXPERIMENTS", ("activation_functions", "course_table"))
    monkeypatch.setattr(everything, "use_all_cores", lambda: None)  # JAX is in use already
    monkeypatch.setenv("JAXNET_DATA_DIR", str(tmp_path))
    run_all(out=tmp_path)
    printed = capsys.readouterr().out
    assert re.search(r"The sigmoid is.*yes", printed)
    assert re.search(r"course_table.*needs the cats", printed)
    assert (tmp_path / "activation_functions.png").exists()


def test_every_experiment_is_listed_and_can_be_run() -> None:
    files = {path.stem for path in (ROOT / "experiments").glob("[a-z]*.py")}
    assert set(EXPERIMENTS) == files - {"benchmark"}
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)
    assert [name for name in rows if name in EXPERIMENTS] == list(EXPERIMENTS)
    for name in EXPERIMENTS:
        module = importlib.import_module(f"experiments.{name}")
        assert f"python -m experiments.{name}" in (module.__doc__ or "")
        assert module.CLAIM.endswith(".")
