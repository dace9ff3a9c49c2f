"""`jaxnet learning-curve` as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Result

Run = Callable[..., Result]

DATA = ("--data", "sketches", "--count", 24)
QUICK = (*DATA, "--size", 8, "--iterations", 5, "--subsets", 2, "--sizes", "6,10,18")


@pytest.mark.usefixtures("undrawn")
def test_the_answer_in_words_and_as_json(jaxnet: Run) -> None:
    result = jaxnet("learning-curve", *QUICK, "--pictures", 48, "--json")
    assert result.code == 0, result.err
    answer = json.loads(result.out)
    assert (answer["pictures"], answer["asked"]) == (24, 48)
    assert answer["sizes"] == [6, 10, 18]
    assert answer["settings"]["subsets"] == 2
    assert Path(answer["run"], "learning-curve.png").exists()
    said = " ".join(result.err.split())
    assert "3 sizes × 2 subsets of the 24 training pictures × 2 seeds = 12 networks" in said
    assert "with 24 pictures" in said
    assert "of the networks of 18 pictures learn" in said


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((*QUICK, "--pictures", 97), "--pictures is 97, more than 4 times the 24"),
        ((*QUICK, "--sizes", "10,x"), '--sizes is "10,x"'),
        ((*QUICK, "--sizes", "10,20,22"), "a value of sizes is 22"),
        (("--data", "sketches", "--count", 15), "a learning curve of 15 training pictures"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_any_training(
    jaxnet: Run, arguments: tuple[object, ...], found: str
) -> None:
    result = jaxnet("learning-curve", *arguments)
    assert result.code == 2
    assert found in " ".join(result.err.split())
    assert not Path("runs").exists()
