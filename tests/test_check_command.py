"""`jaxnet check` as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result

from jaxnet.evaluation.doctor import examine
from jaxnet.evaluation.doctor.check import Check
from jaxnet.evaluation.doctor.examine import PIPELINE_CHECKS
from jaxnet.evaluation.doctor.laws import check_permuted_units
from jaxnet.evaluation.doctor.subjects import Pipeline
from jaxnet.runs.model_file import load_model, save_model

Run = Callable[..., Result]
Write = Callable[..., Path]

LEARNS = ("--size", 8, "--iterations", 100, "--learning-rate", 0.1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one check of the pipeline only: all of them have tests of their own."""
    monkeypatch.setattr(examine, "PIPELINE_CHECKS", (check_permuted_units,))


def verdicts(result: Result) -> dict[str, str]:
    answer = json.loads(result.out)
    told = {check["name"]: check["verdict"] for check in answer["checks"] if check["of"] == "run"}
    for verdict, count in answer["counts"].items():
        assert count == sum(check["verdict"] == verdict for check in answer["checks"])
    assert result.code == (1 if "fail" in told.values() else 0)
    return told


@pytest.mark.slow
def test_the_pipeline_passes(jaxnet: Run) -> None:
    result = jaxnet("check", "--json")
    assert result.code == 0
    assert result.err.count("│ pass │") == 12
    assert result.err.endswith("12 passed, 0 warned, 0 failed\n")
    assert "to do" not in result.err
    answer = json.loads(result.out)
    assert answer["counts"] == {"pass": 12, "warn": 0, "fail": 0}
    assert len({check["name"] for check in answer["checks"]}) == len(PIPELINE_CHECKS) == 12
    for check in answer["checks"]:
        assert (check["verdict"], check["remedy"]) == ("pass", ""), check
        assert check["found"]
        assert check["meaning"]
    assert answer["checks"][0] == {
        "of": "pipeline",
        "name": "derivatives three ways",
        "verdict": "pass",
        "number": pytest.approx(0, abs=1e-6),
        "found": answer["checks"][0]["found"],
        "meaning": "formula, jax.grad and differences agree on all eight, for each activation",
        "remedy": "",
    }


def test_a_broken_pipeline(jaxnet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def ill(_: Pipeline) -> Check:
        return Check("a law", "fail", 0.5, "5e-01", "it is [broken]", "mend it")

    monkeypatch.setattr(examine, "PIPELINE_CHECKS", (check_permuted_units, ill))
    result = jaxnet("check")
    assert result.code == 1
    for line in ("fail: a law", "  means: it is [broken]", "  to do: mend it"):
        assert line in result.out.splitlines()
    assert result.out.endswith("1 passed, 0 warned, 1 failed\n")


@pytest.mark.usefixtures("quick", "undrawn")
def test_a_healthy_run(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *LEARNS)
    result = jaxnet("check", "runs/001")
    assert result.code == 0
    for part in ("the pipeline", "runs/001", "learning: cost", "│ pass │ sharpness", "λ = "):
        assert part in result.out
    assert "fail:" not in result.out
    answer = json.loads(jaxnet("check", "runs/001/model.h5", "--json").out)
    assert answer["model"] == "runs/001/model.h5"
    assert answer["same_data_as_in_training"] is True
    assert {check["of"] for check in answer["checks"]} == {"pipeline", "run"}
    (learnt,) = [check for check in answer["checks"] if check["name"] == "what is learnt"]
    assert learnt["number"] == pytest.approx(load_model("runs/001").costs[-5:].mean())


# Options of a run that goes wrong, and which checks then do not pass.
ILL: dict[str, tuple[tuple[object, ...], dict[str, str]]] = {
    "dead": (
        ("--weight-scale", 0),
        {"what is learnt": "fail", "dead hidden units": "fail", "duplicated hidden units": "fail"},
    ),
    "equal units": (
        ("--weight-scale", 0, "--activation", "sigmoid", "--iterations", 400),
        {"duplicated hidden units": "fail"},
    ),
    "too large a rate": (
        ("--learning-rate", 1e3),
        {"finite numbers": "fail", "what is learnt": "fail", "steps that raised the cost": "fail"},
    ),
    "plateau": (
        ("--learning-rate", 1e-5),
        {"what is learnt": "fail"},
    ),
    "saturated": (
        ("--activation", "sigmoid", "--scale", "raw", "--weight-scale", 1),
        {"saturated hidden units": "fail"},
    ),
}  # fmt: skip


@pytest.mark.usefixtures("quick", "undrawn")
@pytest.mark.parametrize("case", ILL)
def test_an_ill_run(case: str, jaxnet: Run, folder: Path) -> None:
    options, expected = ILL[case]
    jaxnet("train", "--data", folder, *LEARNS, *options)
    told = verdicts(jaxnet("check", "runs/001", "--json"))
    assert {name: told[name] for name in expected} == expected


@pytest.mark.usefixtures("quick", "undrawn")
def test_a_plateau_is_named(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *LEARNS, "--learning-rate", 1e-5)
    result = jaxnet("check", "runs/001")
    assert result.code == 1
    assert "plateau at the label entropy, which is ln 2 here" in " ".join(
        part for line in result.out.splitlines() for part in line.split() if part != "│"
    )
    assert "to do: take more --iterations" in result.out


@pytest.mark.usefixtures("quick", "undrawn")
def test_a_parameter_that_is_no_number(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *LEARNS)
    model = load_model("runs/001")
    model.params["W1"] = model.params["W1"].at[0, 0].set(np.nan)
    save_model("ill.h5", model)
    assert verdicts(jaxnet("check", "ill.h5", "--json")) == {"finite numbers": "fail"}
    assert "a parameter is not finite" in jaxnet("check", "ill.h5").out
    Path("none.h5").write_bytes(b"no model")
    assert jaxnet("check", "none.h5").code == 2


@pytest.mark.usefixtures("quick", "undrawn")
def test_other_data_and_wrong_usage(jaxnet: Run, folder: Path, h5: Write) -> None:
    jaxnet("train", "--data", folder, *LEARNS)
    result = jaxnet("check", "runs/001", "--data", h5(), "--json")
    assert "other data: these are not the training pictures" in result.err
    answer = json.loads(result.out)
    assert answer["same_data_as_in_training"] is False
    unasked: dict[str, Any] = {check["name"]: check["number"] for check in answer["checks"]}
    assert unasked["what is learnt"] is unasked["train–test gap"] is None
    refused = jaxnet("check", "--data", folder)
    assert refused.code == 2
    assert "--data is given without a run" in refused.err
    assert jaxnet("check", "nowhere").code == 2


@pytest.mark.usefixtures("quick", "undrawn")
def test_the_weights_of_a_balanced_run_are_kept(jaxnet: Run, h5: Write) -> None:
    path = h5(train_set_y=np.array([0, 0, 0, 0, 0, 0, 1, 1]))
    jaxnet("train", "--data", path, "--balanced", "--iterations", 3, "--precision", "float64")
    told = jaxnet("check", "runs/001").out
    assert "guessing 0.6931" in " ".join(told.replace("│", " ").split())
