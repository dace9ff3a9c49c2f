"""The exercises: the tutor names the blanks and the slips, and passes the solutions."""

import itertools
import linecache
import re
from typing import Any, NamedTuple

import matplotlib as mpl
import pytest
from conftest import DOCS, cells

import jaxnet
from jaxnet.report.tutor import SLIPS, describe_tutoring, hint_and_answer

NUMBERS = itertools.count()

# Of each exercise: the blanks in order, with a usual slip in each and its code.
EXERCISES = {
    "forward": {
        "Z1": ("np.dot(W1.T, X) + b1", "W1ᵀ, not W1"),
        "A1": ("1 / (1 + np.exp(-Z1))", "sigmoid"),
        "Z2": ("W2 @ A1", "bias left out"),
        "A2": ("1 / 1 + np.exp(-Z2)", "parentheses"),
    },
    "loss": {
        "losses": ("Y * np.log(A2) + (1 - Y) * np.log(1 - A2)", "sign"),
        "cost": ("losses.sum()", "no 1/m"),
    },
    "backward": {
        "dA2": ("Y / A2 - (1 - Y) / (1 - A2)", "sign"),
        "dZ2": ("Y - A2", "sign"),
        "dW2": ("dZ2 @ A1 / m", "A1, not A1ᵀ"),
        "db2": ("dZ2.sum(axis=1, keepdims=True)", "no 1/m"),
        "dA1": ("W2 @ dZ2", "W2, not W2ᵀ"),
        "dZ1": ("dA1 @ (Z1 > 0)", "matrix product"),
        "dW1": ("dZ1 @ X / m", "X, not Xᵀ"),
        "db1": ("dZ1.sum(axis=0, keepdims=True) / m", "wrong axis"),
    },
    "update": {
        "W1": ('params["W1"] - learning_rate * grads["dW2"]', "dW2 for dW1"),
        "b1": ('params["b1"] + learning_rate * grads["db1"]', "step added"),
        "W2": ('params["W2"] - grads["dW2"]', "rate left out"),
        "b2": ('params["b2"] - learning_rate**2 * grads["db2"]', "rate squared"),
    },
    "training": {
        "cache": ("cache if t else forward(params, X)", "always the first"),
        "cost": ("loss(cache[3], Y) * Y.size", "costs times m"),
        "grads": ("grads if t else backward(params, cache, X, Y)", "before the loop"),
        "params": ("update(params, grads, -learning_rate)", "step added"),
    },
}
BLANK = re.compile(r"^( +(\w+) = )\.\.\.", re.MULTILINE)


class Exercise(NamedTuple):
    """The code of a page: what precedes the blanks, the blanks, the check, and what follows."""

    before: list[str]
    blanks: str
    check: str
    after: list[str]
    solution: str
    shown: str

    def filled(self, **lines: str) -> str:
        """Return the solution with other lines."""
        names = "|".join(lines)
        return re.sub(
            rf"^( +({names}) = )[^#\n]+?(?=  #|$)",
            lambda match: match[1] + lines[match[2]],
            self.solution,
            flags=re.MULTILINE,
        )

    def run(self, code: str) -> tuple[jaxnet.Tutoring, dict[str, Any]]:
        """Run the cells up to the check with this code in place of the blanks."""
        names: dict[str, Any] = {}
        for text in (*self.before, code):
            name = f"<cell {next(NUMBERS)}>"  # each cell is a file of its own, as in a notebook
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
            exec(compile(text, name, "exec"), names)
        return eval(self.check, names), names


def read(name: str) -> Exercise:
    code = [each for _, each in cells(f"exercise-{name}.md")]
    (place,) = (i for i, each in enumerate(code) if BLANK.search(each))
    text = (DOCS / f"exercise-{name}.md").read_text(encoding="utf-8")
    (solution,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (shown,) = re.findall(r"^```text\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)
    return Exercise(code[:place], code[place], code[place + 1], code[place + 2 :], solution, shown)


@pytest.fixture(params=EXERCISES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def expected(name: str, blank: str) -> str:
    """Return the quantity that is wrong when the line of a blank is."""
    return {"loss": "cost", "training": "costs"}.get(name, blank)


def test_the_solution_is_right(name: str) -> None:
    exercise = read(name)
    result, _ = exercise.run(exercise.solution)
    assert result.right
    assert describe_tutoring(result) == [exercise.shown]


def test_the_solution_fills_the_blanks(name: str) -> None:
    exercise = read(name)
    assert [match[2] for match in BLANK.finditer(exercise.blanks)] == list(EXERCISES[name])
    assert exercise.filled(**dict.fromkeys(EXERCISES[name], "...")) == exercise.blanks


def test_blanks_are_named_as_such(name: str) -> None:
    exercise = read(name)
    result, _ = exercise.run(exercise.blanks)
    first, hint, *_ = describe_tutoring(result)
    assert first.endswith(" not filled in yet")
    assert hint.startswith("  hint: write ")
    assert [each.quantity for each in result.deviations] == list(EXERCISES[name])


def test_one_blank_alone_is_named_wherever_it_is_used(name: str) -> None:
    exercise = read(name)
    for blank in EXERCISES[name]:
        result, _ = exercise.run(exercise.filled(**{blank: "..."}))
        named = [(each.quantity, each.slip) for each in result.deviations]
        assert named == [(blank, "not filled in")]


def test_a_slip_in_a_blank_is_named(name: str) -> None:
    exercise = read(name)
    for blank, (line, slip) in EXERCISES[name].items():
        result, _ = exercise.run(exercise.filled(**{blank: line}))
        first = result.deviations[0]
        assert (first.quantity, first.slip) == (expected(name, blank), slip)
        assert f"  hint: {hint_and_answer(first)[0]}" in describe_tutoring(result)


def test_the_training_uses_the_solutions_before_it() -> None:
    *others, training = EXERCISES
    solutions = [read(each).solution for each in others]
    assert read(training).before[1] == "\n\n".join(solutions)


def test_the_training_has_the_costs_of_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    mpl.use("agg")
    exercise = read("training")
    _, names = exercise.run(exercise.solution)
    sketches, yours = exercise.after
    exec(sketches.replace("iterations = 0.0075, 300", "iterations = 0.0075, 10"), names)
    exec(yours, names)
    (difference,) = re.findall(r"largest difference: (.*)", capsys.readouterr().out)
    assert float(difference) < 1e-6
    assert len(names["fit"].costs) == 10
    names["train"] = exercise.run(exercise.blanks)[1]["train"]  # of which the cell says nothing
    exec(yours, names)
    assert capsys.readouterr().out == ""


def test_every_hint_is_translated() -> None:
    text = (DOCS / "exercises.zh.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.*)` \| .*[\u4e00-\u9fff].* \|$", text, re.MULTILINE)
    written = "write the formula of Z1, whose shape is (n_h, m)"
    assert sorted(rows) == sorted({written, *(hint for hint, _ in SLIPS.values())})
