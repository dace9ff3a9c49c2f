"""Results show themselves: one line of text, and HTML that is safe, small and complete."""

import dataclasses
import html.parser
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pages import make_dataset, make_run
from test_cross_validation import make_result
from test_figures import make_model, make_sweep, rendered
from test_forecast import curve_of
from test_forecast import draw as draw_curve_data
from test_improve import answers, judge

from jaxnet import display as core
from jaxnet.data.dataset import Dataset, PassedOver, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.evaluation.audit import audit
from jaxnet.evaluation.cross_validation import score_cross_validation
from jaxnet.evaluation.doctor.check import Check, Checks
from jaxnet.evaluation.evaluate import evaluate
from jaxnet.evaluation.forecast import forecast
from jaxnet.evaluation.influence import summarise_influence
from jaxnet.evaluation.learning_rate import ChosenRate
from jaxnet.evaluation.spread import SpreadOverSeeds
from jaxnet.evaluation.tutor.check import check_backprop
from jaxnet.many.leave_one_out import LeaveOneOut
from jaxnet.many.seeds import Seeds
from jaxnet.network import init_params
from jaxnet.optimizer import sgd
from jaxnet.report import display
from jaxnet.report.display import parts, summary
from jaxnet.report.figures.figure import NEUTRAL, to_any_theme
from jaxnet.report.figures.training import plot_costs
from jaxnet.report.words import in_python
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run
from jaxnet.training import Fit, start_descent

HOSTILE = "</div><script>alert(1)</script><img src=x onerror='alert(2)'>\"&\n$x$"


def hostile_dataset() -> Dataset:
    data = make_dataset()
    passed_over = PassedOver(HOSTILE, 1, HOSTILE, f"1 {HOSTILE}")
    return dataclasses.replace(
        data,
        classes=(HOSTILE, "yes"),
        source=HOSTILE,
        skipped=(HOSTILE,),
        passed_over=(passed_over,),
    )


def hostile_run() -> Run:
    costs = np.linspace(0.7, 0.5, 30)
    origin = make_run().origin | {"source": HOSTILE}
    return dataclasses.replace(
        make_run(hidden_units=3, learning_rate=0.5),
        classes=("no", HOSTILE),
        costs=costs,
        outcome="learning",
        origin=origin,
    )


def make_results() -> dict[str, Any]:
    data, run = hostile_dataset(), hostile_run()
    model = dataclasses.replace(make_model(), classes=("no", HOSTILE))
    m, tested = len(data.train.labels), len(data.splits["test"].labels)
    A2 = np.random.default_rng(0).uniform(size=(3, m + tested))
    left_out = LeaveOneOut(
        A2[:, :m],
        A2[:, m:],
        np.repeat(A2[:, None, :m], m, axis=1),
        np.repeat(A2[:, None, m:], m, axis=1),
        np.full((3, m + 1), "learning"),
    )
    validated, curve = make_result(), curve_of(draw_curve_data(60, 0.4, 0.0, 2))
    params = init_params(jax.random.key(0), 48, 3)
    labels = {name: split.labels for name, split in data.splits.items()}
    outcomes = np.full((1, 3, 1, 2), "learning", "U10")
    outcomes[0, 0] = "diverged"
    return {
        "dataset": data,
        "split": data.train,
        "run": run,
        "untrained": make_run(),
        "model": model,
        "evaluation": evaluate(model, data),
        "split of it": evaluate(model, data).splits["test"],
        "audit": audit(data),
        "sweep": make_sweep(outcomes, np.full(outcomes.shape, 0.5)),
        "seeds": Seeds(
            np.arange(3), A2[:, 0], outcomes[0, :, 0, 0], 1, {"train": A2[:, :m]}, labels
        ),
        "spread": SpreadOverSeeds(np.arange(3), 1, A2[:, 0], outcomes[0, :, 0, 0], {}),
        "leave-one-out": left_out,
        "fit": Fit(start_descent(params, jnp.zeros((48, 2)), sgd(0.1)), np.array([0.7, 0.5]), None),
        "cross-validation": validated,
        "its scores": score_cross_validation(validated),
        "improvement": judge(answers(np.arange(40) % 2 == 0), answers(np.ones(40, bool))),
        "learning curve": curve,
        "its forecast": forecast(curve),
        "chosen rate": ChosenRate(
            0.1, np.array([0.1, 0.2]), np.array([0.3, np.inf]), outcomes[0, 1::-1, 0], ()
        ),
        "influence": summarise_influence(left_out, data),
        "check": Check("first cost", "pass", 0.69, "ok", {}),
        "checks": Checks((Check("first cost", "fail", 0.5, "raised", {"error": HOSTILE}),)),
        "tutoring": check_backprop(lambda params, X, Y: (Y, Y, Y, Y)),
    }


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return make_results()


@pytest.fixture(scope="module")
def shown(results: dict[str, Any]) -> dict[str, str]:
    """The HTML of all results that have some."""
    return {name: result._repr_html_() for name, result in results.items() if name not in PLAIN}


def test_each_is_one_short_line_of_text(results: dict[str, Any]) -> None:
    for name, result in results.items():
        text = repr(result)
        assert text.startswith(f"<{type(result).__name__}: "), name
        assert text.endswith(">"), name
        assert "\n" not in text, name
        assert len(text) < 500, name  # most of it the hostile names
        assert "array(" not in text, name
    assert repr(make_dataset()) == (
        "<Dataset: train 29 = 13 'no' + 16 'yes'; test 11 = 5 'no' + 6 'yes'; 8 × 6>"
    )
    assert "30 iterations: cost 0.7000 → 0.5000, learning" in repr(results["run"])
    assert repr(results["fit"]) == "<Fit: 2 iterations: cost 0.7000 → 0.5000, unfinished>"
    assert "not trained yet" in repr(results["untrained"])
    assert repr(results["chosen rate"]).startswith("<ChosenRate: learning rate 0.1: of 2 rates ")
    assert "48 → 3 (relu) → 1 (sigmoid), 151 parameters" in repr(results["model"])


class Markup(html.parser.HTMLParser):
    """Collects the elements, their attributes and the text of HTML."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


# Results of which a line of text says all.
PLAIN = ("split", "split of it", "check", "fit")

TAGS = {"div", "img", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "details", "summary"}


def test_the_html_holds_no_script_and_requests_nothing(shown: dict[str, str]) -> None:
    for name, page in shown.items():
        markup = Markup(page)
        assert not markup.open, name
        assert markup.tags <= TAGS, name
        assert {key for key, _ in markup.attributes} <= {"style", "src", "alt", "title"}, name
        for key, value in markup.attributes:
            assert key != "src" or value.startswith("data:image/"), name
            assert key != "style" or "url" not in value, name
    for name in ("dataset", "run", "model", "evaluation", "influence"):
        assert HOSTILE.split("\n")[0] in Markup(shown[name]).text, name
    assert HOSTILE in Markup(shown["checks"]).text


def test_what_has_no_html_shows_its_text(results: dict[str, Any]) -> None:
    for name in PLAIN:
        assert results[name]._repr_html_() is None


def test_the_html_says_what_the_numbers_are(results: dict[str, Any], shown: dict[str, str]) -> None:
    dataset, run, evaluation, sweep, checks = (
        Markup(shown[name]).text for name in ("dataset", "run", "evaluation", "sweep", "checks")
    )
    assert "train: 29 pictures" in dataset
    assert "1: yes, 16 (55.2%)" in dataset
    assert "settings: hidden_units 3, weight_scale 0.1, seed 5, learning_rate 0.5" in run
    assert "cost below the label entropy" in run
    part = results["evaluation"].splits["test"]
    assert f"{part.right}/11 = " in evaluation
    assert "logistic regression, fitted on train" in evaluation
    assert (
        "3 learning rates × 1 weight scale × 2 seeds = 6 networks: 2 diverged, 4 learning" in sweep
    )
    assert "diverged: cost above the label entropy and the first cost" in sweep
    assert "0 passed, 0 warned, 1 failed" in checks
    assert "8 sizes × 32 subsets of 60 pictures" in Markup(shown["learning curve"]).text
    forecasted = results["its forecast"]
    said = Markup(shown["its forecast"]).text
    assert f"{100 * forecasted.scores[0]:.1f} ± {100 * forecasted.errors[0]:.1f} %" in said
    assert "with 60 pictures" in said
    assert "240 would bring some" in said
    page = shown["dataset"]
    assert page.count("<img ") == 8 + 8 + 6 + 5
    assert page.count("image-rendering: pixelated") == 27


def test_options_are_named_as_arguments() -> None:
    text = "take a smaller --learning-rate or --pixel-scale symmetric (jaxnet train --balanced)"
    assert in_python(text) == "take a smaller learning_rate or pixel_scale symmetric (balanced)"


def test_a_display_is_small_whatever_the_pictures_are() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 200, 200, 3), dtype=np.uint8)
    split = Split(images, np.arange(40) % 2)
    data = Dataset(split, split, ("no", "yes"))
    preprocessing = Preprocessing(200, 200, "rgb")
    shapes = {"W1": (40, preprocessing.n_x), "b1": (40, 1), "W2": (1, 40), "b2": (1, 1)}
    draw = np.random.default_rng(1).standard_normal
    params = {name: jax.device_put(draw(shape, "f4")) for name, shape in shapes.items()}
    for result in (data, Model(params, preprocessing, ("no", "yes"))):
        assert len(display.html(result)) < 300_000


def test_a_display_that_fails_leaves_the_text(
    results: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(result: object) -> str:
        raise MemoryError

    monkeypatch.setattr(display, "html", fail)
    assert results["dataset"]._repr_html_() is None
    assert repr(results["dataset"]).startswith("<Dataset: train")
    monkeypatch.setattr(display, "summary", fail)
    assert repr(results["dataset"]) == "<Dataset>"


def test_every_class_that_is_shown_has_a_summary() -> None:
    @core.shown
    class Unknown:
        pass

    assert repr(Unknown()) == "<Unknown>"
    with pytest.raises(TypeError, match="Unknown"):
        summary(Unknown())
    with pytest.raises(TypeError, match="Unknown"):
        parts(Unknown())


def test_a_figure_for_any_theme_has_no_background_and_nothing_black() -> None:
    figure = plot_costs(hostile_run(), label_entropy=0.6)
    white = rendered(figure)[0, 0]
    assert white.tolist() == [255, 255, 255]
    to_any_theme(figure)
    (axes,) = figure.axes
    assert {text.get_color() for text in (axes.xaxis.label, *axes.get_xticklabels())} == {NEUTRAL}
    assert figure.patch.get_alpha() == axes.patch.get_alpha() == 0
    figure.savefig(Path("/dev/null"), format="png")
