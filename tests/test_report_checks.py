"""The doctor's checks in words."""

import math

import pytest
from rich.console import Console

from jaxnet.evaluation.doctor.all_checks import PIPELINE_CHECKS, RUN_CHECKS
from jaxnet.evaluation.doctor.check import Check
from jaxnet.report.checks import (
    FOUND,
    MEANINGS,
    REASONS,
    check_to_json,
    checks_summary,
    checks_table,
    count_verdicts,
    describe_check,
    problems,
)

# A value for every brace in a text.
VALUES = {
    "bound": 1e-6,
    "entropy": 0.5,
    "formulas": ("dW1", "db1"),
    "gradients": ("dW2",),
    "shuffles": 20,
    "low": 0.1,
    "high": 0.9,
    "parameters": {"W1": 1200, "b2": 1},
    "iteration": 7,
    "cost": math.inf,
    "iterations": 1000,
    "units": 8,
    "W1": 0.001,
    "W2": 0.002,
    "steps": 99,
    "share": 0.25,
    "limit": 3.0,
    "largest_rate": 0.01,
    "train": 1.0,
    "test": 0.67,
    "optimizer": "adam",
    "error": "TypeError: no {braces} here",
}

PASSES = ("ok", "learning")
CASES = [(name, case) for name, cases in MEANINGS.items() for case in cases]

LOST = Check("dead hidden units", "warn", 2, "some", {"units": 8})
BROKEN = Check("first cost", "fail", 0.5, "off", {"bound": 1e-4})
FINE = Check("first cost", "pass", 0.6931, "ok", {"bound": 1e-4})
SKIPPED = Check("sharpness", "pass", math.nan, "no settings", {})


def test_every_check_has_texts_and_every_text_a_check() -> None:
    names = {*PIPELINE_CHECKS, *RUN_CHECKS}
    assert len(names) == len(PIPELINE_CHECKS) + len(RUN_CHECKS) == 22
    assert set(MEANINGS) == names
    assert {key for key in FOUND if isinstance(key, str)} == names
    assert {key for key in FOUND if isinstance(key, tuple)} <= set(CASES)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_every_case_is_described(name: str, case: str) -> None:
    verdict = "pass" if case in PASSES else "fail"
    found, meaning, remedy = describe_check(Check(name, verdict, 2.0, case, VALUES))  # type: ignore[arg-type]
    for text in (found, meaning):
        assert text
    assert (remedy == "") == (verdict == "pass")
    for text in (found, meaning, remedy):
        assert not {"{", "}"} & set(text)
        assert text == " ".join(text.split()), "a sentence is joined without a space or with two"


def test_what_was_measured_is_written_with_its_numbers() -> None:
    def found(name: str, case: str, number: float = 2.0, **values: object) -> str:
        return describe_check(Check(name, "fail", number, case, VALUES | values)).found

    assert found("first cost", "off", 0.5) == "cost 0.5000, ln 2 is 0.6931"
    assert found("jit equals no jit", "off", 3e-5) == "3.0e-05, at most 1e-06"
    assert found("dead hidden units", "every", 1234, units=1234) == "1,234 of 1,234"
    assert found("finite numbers", "parameters") == "not finite: 1,200 of W1, 1 of b2"
    assert found("finite numbers", "costs") == "the cost at iteration 7 is inf"
    assert found("what is learnt", "slow at ln 2", 0.69) == (
        "slow at ln 2: cost 0.6900, label entropy 0.5000"
    )
    assert found("train–test gap", "overfit", 0.33) == "100% − 67% = 33% [10% to 90%]"
    assert found("train–test gap", "ok", -0.004, low=-0.2) == "100% − 67% = 0% [-20% to 90%]"
    assert found("update to weight", "ok") == "W1 1e-03, W2 2e-03"
    assert found("steps that raised the cost", "some", 25) == "25 of 99 (25.0%)"
    assert found("derivatives three ways", "both", math.inf) == "inf, at most 1e-06"


def test_wrong_formulas_are_named() -> None:
    check = Check("derivatives three ways", "fail", 1.0, "both", VALUES)
    assert describe_check(check).meaning.startswith(
        "neither the formula of dW1, db1 nor jax.grad of the loss by dW2 is the derivative"
    )


@pytest.mark.parametrize("case", REASONS)
def test_what_does_not_apply_says_why(case: str) -> None:
    found, meaning, remedy = describe_check(Check("sharpness", "pass", math.nan, case, VALUES))
    assert found == f"does not apply: {meaning}"
    assert "{" not in meaning
    assert remedy == ""


def test_an_error_is_quoted_as_it_is() -> None:
    raised = Check("first cost", "fail", math.nan, "raised", VALUES)
    text = describe_check(raised)
    assert text.found == "TypeError: no {braces} here"
    assert text.remedy


def test_json_keeps_its_keys_and_holds_no_nan() -> None:
    assert check_to_json(LOST) == {
        "name": "dead hidden units",
        "verdict": "warn",
        "number": 2,
        "case": "some",
        "found": "2 of 8",
        "meaning": MEANINGS["dead hidden units"]["some"][0],
        "remedy": MEANINGS["dead hidden units"]["some"][1],
    }
    assert check_to_json(SKIPPED)["number"] is None


def rendered(*parts: object) -> list[str]:
    console = Console(width=200, markup=False, highlight=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get().splitlines()


def test_the_report_lists_all_and_explains_what_does_not_pass() -> None:
    checks = (FINE, BROKEN, LOST, SKIPPED)
    table = rendered(checks_table("a [run]", checks))
    assert table[0].strip() == "a [run]"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table if "│" in line]
    assert rows == [
        ["pass", "first cost", "cost 0.6931, ln 2 is 0.6931"],
        ["fail", "first cost", "cost 0.5000, ln 2 is 0.6931"],
        ["warn", "dead hidden units", "2 of 8"],
        ["pass", "sharpness", f"does not apply: {REASONS['no settings']}"],
    ]
    lines = rendered(*problems(checks))
    assert [line for line in lines if not line.startswith("  ")] == [
        "fail: first cost",
        "warn: dead hidden units",
    ]
    assert lines[1] == f"  means: {describe_check(BROKEN).meaning}"
    assert lines[2] == f"  to do: {describe_check(BROKEN).remedy}"
    assert problems((FINE, SKIPPED)) == []


def test_verdicts_are_counted() -> None:
    checks = (FINE, BROKEN, LOST, SKIPPED)
    assert count_verdicts(checks) == {"pass": 2, "warn": 1, "fail": 1}
    summary = checks_summary(checks)
    assert summary.plain == "1 passed, 1 warned, 1 failed, 1 does not apply"
    assert summary.style == "bold red"
    assert checks_summary((SKIPPED, SKIPPED)).plain.endswith(" failed, 2 do not apply")
    assert checks_summary((FINE, LOST)).style == "yellow"
    assert checks_summary([FINE]).plain == "1 passed, 0 warned, 0 failed"
    assert checks_summary([FINE]).style == "green"
