"""The page's sweep of α: its outcomes are those of `fit`, and one chart says what is right."""

import json

import numpy as np
import pytest
from browser import Open, button, text, until
from engine import Node
from pages import make_dataset, make_run, train_again

from jaxnet.outcomes import late_cost

RATES = [1e-5, 0.01, 0.3, 3.0, 100.0, 1e4, 1e200]


@pytest.mark.slow
def test_outcomes_and_late_costs_are_those_of_train(node: Node) -> None:
    names = ("relu", "leaky_relu")
    runs = [make_run(activation=name, learning_rate=0.3) for name in names]
    lines = (
        'import { tryRate } from "./trials.js"; import { labelEntropy } from "./scores.js";'
        f"const rates = {json.dumps(RATES)};"
        "write(descents.map((d) => rates.map((rate) => tryRate(d.problem, d.start.params,"
        "{ live: d.live, rate, steps: 60, entropy: labelEntropy(d.data) }))));"
    )
    dataset, seen = make_dataset(), set()
    for name, trials in zip(names, node(lines, *((run, dataset) for run in runs)), strict=True):
        for rate, trial in zip(RATES, trials, strict=True):
            trained = train_again(make_run(activation=name, learning_rate=rate), dataset, 60)
            assert trial["outcome"] == trained.outcome, (name, rate)
            seen.add(trained.outcome)
            if trained.outcome != "not finite" and rate < 1:  # beyond, rounding grows step by step
                expected = late_cost(trained.costs)
                np.testing.assert_allclose(trial["late"], expected, rtol=0, atol=1e-9)
    assert len(seen) >= 4, seen


def test_what_does_not_learn_is_judged_by_its_side_of_the_best(node: Node) -> None:
    def judge(*outcomes: str) -> list[str]:
        trials = [
            {"rate": 10.0**at, "outcome": outcome, "late": -at}
            for at, outcome in enumerate(outcomes)
        ]
        lines = (
            'import { judgeTrials, ratesAround } from "./trials.js";'
            f"write([judgeTrials({json.dumps(trials)}).verdicts, ratesAround(0.0075)]);"
        )
        verdicts, rates = node(lines)
        assert rates[6] == 0.0075
        np.testing.assert_allclose(np.diff(np.log10(rates)), 0.5, atol=0.01)
        return list(verdicts)

    assert judge("slow", "plateau", "learning", "learning", "plateau", "dead", "not finite") == [
        *["small"] * 2,
        *["right"] * 2,
        *["large"] * 3,
    ]
    assert judge("slow", "plateau", "diverged") == ["small", "small", "large"]


@pytest.mark.slow
def test_one_button_draws_the_chart(show: Open) -> None:
    page = show(make_run(learning_rate=0.1), color_scheme="light")
    before = page.evaluate("jaxnet.step(7).train.costs")
    button(page, "Try other learning rates α").click()
    until(page, "document.querySelectorAll('.rates .trial').length === 13")
    until(page, "document.querySelector('.rates .reading').textContent.length > 0")
    told = text(page, ".rates .reading")
    assert told.startswith("From these initial weights, after 500 steps each: too small from ")
    assert "right" in told
    assert "too large" in told
    assert page.evaluate("jaxnet.state().train.costs") == before  # the training is as it was
    place = "document.querySelector('.rates .cursor').getAttribute('x1')"
    middle = page.evaluate(place)
    page.evaluate("jaxnet.set({ learning_rate: 1 })")
    assert float(page.evaluate(place)) > float(middle) + 20
    page.evaluate("jaxnet.set({ hidden_units: 2 })")  # of other settings, it says nothing
    assert page.locator(".rates svg").is_hidden()
