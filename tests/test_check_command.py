"""`jaxnet check` as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Result

from jaxnet.data.load import load_dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.evaluation.doctor import all_checks
from jaxnet.evaluation.doctor.all_checks import PIPELINE_CHECKS
from jaxnet.evaluation.doctor.check import Result as CheckResult
from jaxnet.evaluation.doctor.invariances import check_permuted_units
from jaxnet.evaluation.doctor.pipeline import Pipeline
from jaxnet.runs.model_file import save_model
from jaxnet.runs.run import Run, load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings

RunCommand = Callable[..., Result]
Write = Callable[..., Path]

LEARNS: dict[str, Any] = {"iterations": 100, "learning_rate": 0.1}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one check of the pipeline only: all of them have tests of their own."""
    checks = {"permuted hidden units": check_permuted_units}
    monkeypatch.setattr(all_checks, "PIPELINE_CHECKS", checks)


def make_run(data: Path, pixel_scale: str = "symmetric", **settings: Any) -> Run:
    """Train a run and save it in the folder "run"."""
    preprocessing = Preprocessing(8, 6, pixel_scale=pixel_scale)
    run = train(load_dataset(data), Settings(**(LEARNS | settings)), preprocessing)
    run.save("run")
    return run


def verdicts(result: Result) -> dict[str, str]:
    answer = json.loads(result.out)
    by_name = {
        check["name"]: check["verdict"] for check in answer["checks"] if check["of"] == "run"
    }
    for verdict, count in answer["counts"].items():
        assert count == sum(check["verdict"] == verdict for check in answer["checks"])
    assert result.code == (1 if "fail" in by_name.values() else 0)
    return by_name


@pytest.mark.slow
def test_the_pipeline_passes(jaxnet: RunCommand) -> None:
    result = jaxnet("check", "--json")
    assert result.code == 0
    assert result.err.count("│ pass │") == 12
    assert result.err.endswith("12 passed, 0 warned, 0 failed\n")
    assert "to do" not in result.err
    answer = json.loads(result.out)
    assert answer["counts"] == {"pass": 12, "warn": 0, "fail": 0}
    assert [check["name"] for check in answer["checks"]] == list(PIPELINE_CHECKS)
    for check in answer["checks"]:
        assert (check["verdict"], check["case"], check["remedy"]) == ("pass", "ok", ""), check
        assert check["found"]
        assert check["meaning"]
    assert answer["checks"][0] == {
        "of": "pipeline",
        "name": "derivatives three ways",
        "verdict": "pass",
        "number": pytest.approx(0, abs=1e-6),
        "case": "ok",
        "found": answer["checks"][0]["found"],
        "meaning": "formulas, jax.grad and finite differences agree on all eight derivatives, for "
        "each activation",
        "remedy": "",
    }


def test_a_broken_pipeline(jaxnet: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Pipeline) -> CheckResult:
        return CheckResult("fail", 0.5, "off", {"bound": 1e-12})

    def raises(_: Pipeline) -> CheckResult:
        raise ZeroDivisionError("[red]")

    checks = {
        "permuted hidden units": check_permuted_units,
        "jit equals no jit": broken,
        "first cost": raises,
    }
    monkeypatch.setattr(all_checks, "PIPELINE_CHECKS", checks)
    result = jaxnet("check")
    assert result.code == 1
    lines = result.out.splitlines()
    assert "fail: jit equals no jit" in lines
    assert "  means: the cost or its gradient is different when compiled" in lines
    assert any("ZeroDivisionError: [red]" in line for line in lines)
    assert result.out.endswith("1 passed, 0 warned, 2 failed\n")


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_healthy_run(jaxnet: RunCommand, folder: Path) -> None:
    run = make_run(folder)
    result = jaxnet("check", "run")
    assert result.code == 0
    for part in ("the pipeline", "\nrun\n", "learning: cost", "│ pass │ sharpness", "λ = "):
        assert part in result.out
    assert "fail:" not in result.out
    answer = json.loads(jaxnet("check", "run/model.h5", "--json").out)
    assert answer["model"] == "run/model.h5"
    assert answer["same_data_as_in_training"] is True
    assert answer["data"]["positive"] == "cat"
    assert {check["of"] for check in answer["checks"]} == {"pipeline", "run"}
    (outcome,) = [check for check in answer["checks"] if check["name"] == "what is learnt"]
    # It is measured from the first cost, and so rounded at its size.
    rounding = float(np.finfo(run.costs.dtype).eps * run.costs[0])
    assert outcome["number"] == pytest.approx(float(run.costs[-5:].mean()), abs=rounding)
    assert outcome["case"] == run.outcome == "learning"


# How a run goes wrong, and which checks then do not pass.
ILL: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "dead": (
        {"weight_scale": 0},
        {"what is learnt": "fail", "dead hidden units": "fail", "duplicated hidden units": "fail"},
    ),
    "equal units": (
        {"weight_scale": 0, "activation": "sigmoid", "iterations": 400},
        {"duplicated hidden units": "fail"},
    ),
    "too large a rate": (
        {"learning_rate": 1e3},
        {"finite numbers": "fail", "what is learnt": "fail", "steps that raised the cost": "fail"},
    ),
    "plateau": (
        {"learning_rate": 1e-5},
        {"what is learnt": "warn"},
    ),
    "saturated": (
        {"activation": "sigmoid", "pixel_scale": "raw", "weight_scale": 1},
        {"saturated hidden units": "fail"},
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("case", ILL)
def test_an_ill_run(case: str, jaxnet: RunCommand, folder: Path) -> None:
    settings, expected = ILL[case]
    make_run(folder, **settings)
    by_name = verdicts(jaxnet("check", "run", "--json"))
    assert {name: by_name[name] for name in expected} == expected


@pytest.mark.usefixtures("quick")
def test_a_plateau_warns(jaxnet: RunCommand, folder: Path) -> None:
    late = make_run(folder, learning_rate=1e-5).costs[-5:].mean()
    result = jaxnet("check", "run")
    assert result.code == 0
    assert "warn: what is learnt" in result.out
    text = f"plateau: cost {late:.4f}, label entropy 0.6931"
    assert text in in_one_line(result.out)
    assert "to do: take more --iterations" in result.out


@pytest.mark.usefixtures("quick")
def test_a_parameter_that_is_not_finite(jaxnet: RunCommand, folder: Path) -> None:
    make_run(folder)
    with h5py.File("run/model.h5", "r+") as file:
        file["params/W1"][0, 0] = np.nan
    assert verdicts(jaxnet("check", "run", "--json")) == {"finite numbers": "fail"}
    assert "a parameter is not finite" in jaxnet("check", "run").out
    Path("none.h5").write_bytes(b"no model")
    assert jaxnet("check", "none.h5").code == 2


@pytest.mark.usefixtures("quick")
def test_other_data_and_wrong_usage(jaxnet: RunCommand, folder: Path, h5: Write) -> None:
    make_run(folder)
    result = jaxnet("check", "run", "--data", h5(), "--json")
    assert "other data: these are not the training pictures" in result.err
    answer = json.loads(result.out)
    assert answer["same_data_as_in_training"] is False
    checks = {check["name"]: check for check in answer["checks"]}
    for name in ("what is learnt", "train–test gap"):
        assert (checks[name]["number"], checks[name]["case"]) == (None, "other training set")
    refused = jaxnet("check", "--data", folder)
    assert refused.code == 2
    assert "--data is given without a run" in refused.err
    assert "--skip-bad is given" in jaxnet("check", "--skip-bad").err
    assert jaxnet("check", "nowhere").code == 2


@pytest.mark.usefixtures("quick")
def test_a_bare_model_file(jaxnet: RunCommand, folder: Path) -> None:
    save_model("bare.h5", make_run(folder).model)
    assert load_run("bare.h5").settings is None
    refused = jaxnet("check", "bare.h5")
    assert refused.code == 2
    assert "--data" in refused.err
    result = jaxnet("check", "bare.h5", "--data", folder, "--json")
    assert "does not record on which pictures it was trained" in result.err
    answer = json.loads(result.out)
    assert answer["same_data_as_in_training"] is None
    skipped = {check["case"] for check in answer["checks"] if check["number"] is None}
    assert skipped == {"not sigmoid", "other training set", "no settings", "no costs"}


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_balanced_run_in_float64(jaxnet: RunCommand, h5: Write) -> None:
    path = h5(train_set_y=np.array([0, 0, 0, 0, 0, 0, 1, 1]))
    make_run(path, balanced=True, iterations=3, precision="float64")
    assert "label entropy 0.6931" in in_one_line(jaxnet("check", "run").out)


def in_one_line(text: str) -> str:
    """Undo the wrapping of a table's cells."""
    return " ".join(part for line in text.splitlines() for part in line.split() if part != "│")
