"""`jaxnet improve` as a user types it, its words and its figure."""

import dataclasses
import json
import shlex
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import Result
from test_figures import rendered
from test_improve import ALL, OWN, Fake, answers, judge, make_data
from test_report_audit import printed

from jaxnet.commands import improve as command
from jaxnet.commands import interruption
from jaxnet.commands import train as train_command_module
from jaxnet.commands.training import Request
from jaxnet.data.load import load_dataset
from jaxnet.data.preprocessing import preprocessing_for
from jaxnet.data.source import DataSource
from jaxnet.evaluation.improvement.improve import FOLDS, REPEATS, SEEDS
from jaxnet.evaluation.improvement.levers import make_levers
from jaxnet.evaluation.improvement.plan import Plan
from jaxnet.report.figures import plot_improvement
from jaxnet.report.improvement import (
    describe_improvement,
    describe_plan,
    describe_recommendation,
    improvement_table,
    train_command,
)
from jaxnet.runs.run import load_run
from jaxnet.settings import Settings

Run = Callable[..., Result]

FEW = ("--size", 8, "--folds", 3, "--repeats", 1, "--seeds", 2)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake("pixel scale")
    monkeypatch.setattr("jaxnet.evaluation.improvement.improve.predict_held_out", fake)
    monkeypatch.setattr("jaxnet.evaluation.improvement.plan._time", lambda *_: (0.0, 0.5))
    return fake


@pytest.fixture
def pets(folder: Path) -> Path:
    """The pictures of `folder` four times over, each a little different: no duplicates."""
    from PIL import Image

    generator = np.random.default_rng(1)
    for path in list(folder.glob("*/*.png")):
        for i in range(3):
            noise = generator.integers(0, 256, (8, 6, 3), dtype=np.uint8)
            Image.fromarray(noise).save(path.with_name(f"{path.stem}-{i}.png"))
    return folder


def test_the_plan_the_table_and_the_command(jaxnet: Run, pets: Path, fake: Fake) -> None:
    result = jaxnet("improve", "--data", pets, *FEW)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    plan = next(i for i, line in enumerate(lines) if line.startswith("12 settings × 6 networks"))
    table = next(i for i, line in enumerate(lines) if line.startswith("lever "))
    assert plan < table
    assert "as it is, colour, mirrored, shifted" in "".join(lines[plan : plan + 4])
    rows = "\n".join(lines[table:])
    assert all(name.split()[0] in rows for name in ALL)
    assert "pixel scale ✓" in rows
    assert "recommended: pixel scale" in rows
    assert f"jaxnet train --data {pets} --size 8 --pixel-scale unit" in rows
    assert Path("runs/001/improve.png").exists()


@pytest.mark.usefixtures("undrawn")
def test_the_answer_for_programs(jaxnet: Run, pets: Path, fake: Fake) -> None:
    result = jaxnet("improve", "--data", pets, *FEW, "--quick", "--hidden-units", 4, "--json")
    assert result.code == 0, result.err
    answer = json.loads(result.out)
    assert answer["recommended"] == "pixel scale"
    assert answer["command"].startswith("jaxnet train --data ")
    assert answer["command"].endswith("--size 8 --pixel-scale unit --hidden-units 4")
    assert [lever["lever"]["name"] for lever in answer["levers"]] == [
        name for name in ALL[1:] if name != "shifted"
    ]
    assert (answer["folds"], answer["repeats"], answer["seeds"]) == (3, 1, 2)
    assert answer["base"]["p"] == 1
    best = next(lever for lever in answer["levers"] if lever["recommended"])
    assert best["p_holm"] <= 0.05
    assert set(best["difference"]) == {"value", "low", "high"}


@pytest.mark.usefixtures("undrawn")
def test_a_signal_keeps_what_is_measured_and_the_same_command_continues(
    jaxnet: Run, pets: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(sequence: Iterable[int], description: str, _: object) -> Iterator[int]:
        for item in sequence:
            if description == "training networks" and len(fake.asked) == 5:
                signal.raise_signal(signal.SIGTERM)
            yield item

    again = ("improve", "--data", pets, *FEW, "--out", "here")
    with monkeypatch.context() as patch:
        patch.setattr(interruption, "show_progress", interrupt)
        result = jaxnet(*again)
    assert result.code == 128 + signal.SIGTERM
    assert "stopped: the same command with --out here continues it" in result.out
    assert len(list(Path("here/levers").iterdir())) == 5
    before = fake.asked[:]
    result = jaxnet(*again)
    assert result.code == 0, result.err
    assert "7 settings × 6 networks" in result.out
    assert not set(before) & set(fake.asked[len(before) :])
    assert "every setting is measured already" in jaxnet(*again).out
    result = jaxnet(*again, "--learning-rate", 0.1)
    assert result.code == 2
    assert "was measured on other pictures, with other settings" in result.err


def test_bad_input_is_told_at_once(jaxnet: Run, pets: Path, fake: Fake, tmp_path: Path) -> None:
    result = jaxnet("improve", "--data", pets, "--size", 8, "--folds", 30)
    assert result.code == 2
    assert '30 folds, but "dog" has 19 pictures' in result.err
    assert "give 19 folds or fewer" in result.err
    assert not Path("runs").exists()
    result = jaxnet("improve", "--data", pets, "--patience", 3)
    assert result.code == 2
    result = jaxnet("improve", "--out", tmp_path)
    assert result.code == 2
    assert "is not empty and contains no measured levers" in result.err
    assert not fake.asked


def test_the_defaults_are_those_of_the_library() -> None:
    assert (command.FOLDS, command.REPEATS, command.SEEDS) == (FOLDS, REPEATS, SEEDS)


def test_every_command_parses_to_the_setting_that_was_measured(
    jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []

    def take(request: Request) -> None:
        asked.append(request)
        raise SystemExit(0)

    monkeypatch.setattr(train_command_module, "train_in_memory", take)
    source = DataSource(data="my pets", size=8, positive="dog")
    base = Settings(learning_rate=0.1 + 0.2, momentum=0.9, iterations=77, seed=3)
    for lever in make_levers(make_data().train, base, OWN, seeds=6):
        words = shlex.split(train_command(lever, source, seeds=6))
        assert words[:2] == ["jaxnet", "train"]
        assert jaxnet(*words[1:]).code == 0
        request = asked[-1]
        assert request.settings == lever.settings
        assert dataclasses.replace(OWN, **request.columns) == lever.preprocessing
        assert (request.seeds, request.ensemble) == ((6, True) if lever.ensemble else (1, False))
        share = None if lever.settings.patience is None else 0.2
        assert request.source == dataclasses.replace(source, validation=share)
    assert len(asked) == len(ALL)


@pytest.mark.slow
def test_the_command_trains_with_the_setting_that_was_measured(jaxnet: Run, pets: Path) -> None:
    result = jaxnet("improve", "--data", pets, *FEW, "--iterations", 20, "--quick", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["pictures"] > 20
    data = load_dataset(pets, size=8)
    base = Settings(iterations=20)
    levers = make_levers(data.train, base, preprocessing_for(data), seeds=2)
    together = levers[-1]
    words = shlex.split(train_command(together, DataSource(data=str(pets), size=8), seeds=2))
    assert jaxnet(*words[1:], "--out", "run", "--no-page").code == 0
    run = load_run("run")
    settings = together.settings
    assert run.settings is not None
    assert dataclasses.replace(run.settings, basis="auto", seed=0) == settings
    assert run.preprocessing == together.preprocessing


def test_words() -> None:
    levers = make_levers(make_data().train, Settings(), OWN, seeds=4)
    text = describe_plan(Plan(levers, 40, 2500, 100.4))
    assert text.startswith("13 settings × 40 networks of 2,500 iterations: as it is, colour, ")
    assert text.endswith("\nthat takes about 2 min on this machine")
    assert "about 50 s" in describe_plan(Plan(levers[:1], 40, 2500, 41.0))

    generator = np.random.default_rng(0)
    noise = judge(*(answers(generator.random(40) < 0.5) for _ in range(3)))
    assert describe_recommendation(noise) == (
        "none of 2 levers is better than the setting as it is beyond chance: keep it; and that is "
        "not better than a constant answer beyond chance, either"
    )
    half = generator.random(40) < 0.5
    found = judge(answers(half), answers(np.ones(40, bool)), answers(np.arange(40) > 0))
    assert found.best is found.levers[0]
    assert describe_recommendation(found).startswith("recommended: lever 1, +")
    assert describe_recommendation(found).endswith("any constant answer; so is 1 more, marked ✓")
    text = "".join(map(printed, describe_improvement(found)))
    assert "jaxnet train" in text
    assert "on 40 training pictures, held out in 5 folds × 1 repeat × 1 seed;" in text
    assert "lever 1 ✓" in printed(improvement_table(found))
    assert repr(found).startswith("<Improvement: recommended: lever 1")


def test_the_figure_marks_what_is_recommended() -> None:
    half = np.arange(40) % 2 == 0
    found = judge(answers(half), answers(np.arange(40) % 20 > 0), answers(half))
    figure = plot_improvement(found, title="$pets$")
    assert rendered(figure).std() > 0
    left, right = figure.axes
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == ["lever 0", "lever 1 ✓", "lever 2"]
    dots = [line for line in right.lines if line.get_marker() == "o"]
    difference = found.levers[0].difference
    np.testing.assert_allclose(np.asarray(dots[1].get_xdata()), 100 * difference.value)
    assert dots[1].get_color() != dots[2].get_color()
    bars = [np.asarray(line.get_xdata()) for line in right.lines if line.get_linewidth() == 2]
    np.testing.assert_allclose(bars[0], 100 * np.array([difference.low, difference.high]))
