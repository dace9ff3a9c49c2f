"""The model card: its head is YAML, its numbers are those of `evaluate`, its limits are true."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import Result
from test_evaluate import make_dataset, make_model

from jaxnet.data.dataset import Dataset
from jaxnet.data.load import load_dataset
from jaxnet.data.stored import open_splits
from jaxnet.errors import UsageError
from jaxnet.evaluation.audit import Audit, Brightness, Skew, audit
from jaxnet.evaluation.evaluate import Evaluation, evaluate
from jaxnet.report.card import model_card
from jaxnet.report.card_limits import describe_limits
from jaxnet.runs.model_file import save_model
from jaxnet.runs.run import Run, load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def run() -> Run:
    return train(make_dataset(), Settings(hidden_units=2, iterations=3))


def head_of(card: str) -> Any:
    _, head, _ = card.split("---\n", 2)
    return yaml.safe_load(head)


def tables(card: str) -> list[list[list[str]]]:
    """Read the tables of Markdown: rows of cells."""
    found = re.findall(r"(?:^\|.*\|\n)+", card, re.MULTILINE)
    return [
        [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in table.split("\n")
        ]
        for table in (each.strip() for each in found)
    ]


def test_the_head_is_yaml_with_the_scores_of_evaluate(run: Run) -> None:
    data = make_dataset()
    head = head_of(model_card(run, data, name='my "net": 1'))
    assert head["library_name"] == "jaxnet"
    assert head["pipeline_tag"] == "image-classification"
    assert "binary-classification" in head["tags"]
    (model,) = head["model-index"]
    assert model["name"] == 'my "net": 1'
    (result,) = model["results"]
    assert result["task"]["type"] == "image-classification"
    assert result["dataset"] == {"type": "made", "name": "made", "split": "test"}
    test = evaluate(run, data).splits["test"]
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert list(values) == head["metrics"]
    assert values["accuracy"] == pytest.approx(test.accuracy.value, abs=1e-4)
    assert values["roc_auc"] == pytest.approx(test.roc_auc.value, abs=1e-4)
    assert values["brier_score"] == pytest.approx(test.brier.value, abs=1e-4)
    alone = dataclasses.replace(data, test=None)
    assert "model-index" not in head_of(model_card(run, alone))


def test_the_card_states_data_scores_limits_origin_and_hashes(run: Run, tmp_path: Path) -> None:
    data = make_dataset()
    file = run.save(tmp_path / "run") / "model.h5"
    card = model_card(run, data, model_file=file)
    assert re.findall("^## (.*)$", card, re.MULTILINE) == [
        "Intended use",
        "Data",
        "Scores",
        "Limits",
        "How it was made",
        "Hashes",
    ]
    splits, scores, baselines, confusion, settings, hashes = tables(card)
    for table in (splits, scores, baselines, confusion, settings, hashes):
        assert {len(row) for row in table} == {len(table[0])}
    assert splits[3][:2] == ["test", "(6, 1, 1, 3)"]
    evaluation = evaluate(run, data)
    test = evaluation.splits["test"]
    low, high = (f"{100 * end:.1f}" for end in test.accuracy[1:])
    assert f"{test.right}/6 = " in scores[2][1]
    assert f"[{low}–{high} %".replace("[", "\\[") in scores[2][1]
    assert f"{test.baselines['logistic'].right}/6" == baselines[5][2]
    assert ["hidden\\_units", "2"] in settings
    numbers = b"".join(np.asarray(run.model.params[name]).tobytes() for name in ("W1", "b1", "W2"))
    numbers += np.asarray(run.model.params["b2"]).tobytes()
    assert dict(hashes[2:]) == {
        "model.h5": hashlib.sha256(file.read_bytes()).hexdigest(),
        "the bytes of W1, b1, W2 and b2": hashlib.sha256(numbers).hexdigest(),
        "the training set it was trained on": data.train_sha256,
        "all pictures and labels at its training": data.sha256,
        "the pictures and labels it was scored on": data.sha256,
    }
    for limit in describe_limits(run, evaluation, audit(data)):
        assert limit[:20] in card


def test_an_ensemble_is_no_single_network(run: Run) -> None:
    members = (run.model.params, {**run.model.params, "b2": run.model.params["b2"] + 1})
    ensemble = dataclasses.replace(run, members=members)
    card = model_card(ensemble, make_dataset())
    assert "and 2 such networks, whose mean it is" in card
    assert "Its probability is the mean of those of 2 networks" in card
    assert "It is one network of one seed" not in card
    assert tables(card)[-1][2] != tables(model_card(run, make_dataset()))[-1][2]


def test_names_that_are_markup_stay_names(run: Run) -> None:
    names = ("a|b\n# no", "*cät*\udcff: [x](y)")
    data = dataclasses.replace(make_dataset(), classes=names)
    odd = dataclasses.replace(run, classes=names)
    card = model_card(odd, data)
    assert {len(row) for row in tables(card)[3]} == {4}
    assert "# jaxnet: \\*cät\\*?: \\[x\\](y) or a\\|b \\# no" in card
    assert head_of(card)["library_name"] == "jaxnet"


def test_folders_of_the_machine_are_not_stated(folder: Path, tmp_path: Path) -> None:
    data = load_dataset(folder, size=4)
    run = train(data, Settings(hidden_units=1, iterations=1))
    before, _ = model_card(run, data).split("## How it was made")
    assert "pets" in before
    assert str(tmp_path) not in before
    assert tmp_path.name not in before


def changed(evaluation: Evaluation, **parts: Any) -> Evaluation:
    test = dataclasses.replace(evaluation.splits["test"], **parts)
    return evaluation._replace(splits=evaluation.splits | {"test": test})


def sound(data: Dataset) -> Audit:
    """An audit that found nothing."""
    found = audit(data)
    skew: Skew = found.skew._replace(differs=False)
    brightness: Brightness = found.brightness._replace(predictive=False)
    return found._replace(leaks=(), pairs=(), skew=skew, brightness=brightness)


def test_each_limit_is_stated_where_it_holds_and_only_there(run: Run) -> None:
    data = make_dataset()
    audited, evaluation = sound(data), evaluate(run, data)
    test = evaluation.splits["test"]
    large = test.accuracy._replace(value=0.96, low=0.95, high=0.97)
    good = changed(
        evaluation, accuracy=large, mcnemar=test.mcnemar._replace(gained=9, lost=0, p=0.001)
    )
    run = dataclasses.replace(run, outcome="learning")
    always = describe_limits(run, good, audited)
    assert [limit[:12] for limit in always] == ["It is one ne", "It sees 1 × ", "It knows two"]

    def added(*arguments: Any) -> str:
        (limit,) = set(describe_limits(*arguments)) - set(always)
        return limit

    slow = dataclasses.replace(run, outcome="slow")
    assert "not reached the cost of guessing" in added(slow, good, audited)
    other = good._replace(same_data_as_in_training=False)
    assert "not those of its training" in added(run, other, audited)
    unknown = good._replace(same_data_as_in_training=None)
    assert "not known on which pictures" in added(run, unknown, audited)
    few = changed(good, accuracy=large._replace(low=0.85))
    assert "6 pictures, which is few" in added(run, few, audited)
    worse = changed(good, mcnemar=test.mcnemar._replace(gained=3, lost=2, p=0.9))
    assert "not better than logistic regression" in added(run, worse, audited)
    constant = test.baselines["hindsight"]
    strong = constant._replace(accuracy=constant.accuracy._replace(value=0.95))
    guessing = changed(good, baselines=test.baselines | {"hindsight": strong})
    assert "is right on 95% of test" in added(run, guessing, audited)
    seen = dataclasses.replace(
        good.splits["train"], seen_in_training=True, accuracy=large._replace(value=1.0)
    )
    low = changed(good, accuracy=large._replace(value=0.89, low=0.88, high=0.9))
    low = low._replace(splits=low.splits | {"train": seen})
    assert "has memorised a part" in added(run, low, audited)
    assert "1 test picture is also in" in added(run, good, audited._replace(leaks=(3,)))
    bright = audited._replace(brightness=audited.brightness._replace(predictive=True))
    assert "Brightness alone" in added(run, good, bright)
    skewed = audited._replace(skew=audited.skew._replace(differs=True))
    assert "shares of the classes differ" in added(run, good, skewed)
    assert "scored 2 times" in added(run, good, audited, ["jaxnet train", "jaxnet card"])
    without = good._replace(splits={"train": good.splits["train"]})
    assert "There is no test set: how" in added(run, without, audited)
    validated = good._replace(splits={"validation": good.splits["test"], **without.splits})
    assert "may have chosen the weights" in added(run, validated, audited)


def test_pictures_in_files_and_networks_from_elsewhere(
    run: Run, h5: Callable[..., Path], tmp_path: Path
) -> None:
    save_model(tmp_path / "model.h5", make_model())
    elsewhere = dataclasses.replace(
        load_run(tmp_path / "model.h5"), origin={"imported": "pytorch, net.safetensors"}
    )
    images = np.random.default_rng(0).integers(0, 256, (12, 1, 1, 3), dtype=np.uint8)
    splits = open_splits(h5(train_set_x=images[:8], test_set_x=images[8:]))
    card = model_card(elsewhere, splits)
    assert "Imported from pytorch, net.safetensors." in card
    assert "How it was trained is not recorded." in card
    assert "It is not known on which pictures" in card
    assert head_of(card)["model-index"][0]["results"][0]["dataset"]["split"] == "test"
    with pytest.raises(UsageError, match="run is of type Model"):
        model_card(make_model(), splits)  # type: ignore[arg-type]


@pytest.mark.usefixtures("undrawn")
def test_the_command(jaxnet: Command, folder: Path) -> None:
    quick = ("--size", 8, "--iterations", 2, "--no-page")
    assert (
        "jaxnet card runs/001 writes a model card" in jaxnet("train", "--data", folder, *quick).out
    )
    done = jaxnet("card", "runs/001")
    assert done.code == 0, done.err
    assert "written: runs/001/README.md" in done.out
    assert "scored the test set once more" in done.out
    card = Path("runs/001/README.md").read_text("utf-8")
    assert head_of(card)["model-index"][0]["name"] == "001"
    assert "The test set was scored 2 times" in card
    assert "jaxnet train --data" in card
    digest = hashlib.sha256(Path("runs/001/model.h5").read_bytes()).hexdigest()
    assert f"| model.h5 | {digest} |" in card
    assert "README.md exists already" in jaxnet("card", "runs/001").err
    answer = json.loads(jaxnet("card", "runs/001", "--out", "card.md", "--json").out)
    assert answer["written"] == "card.md"
    assert len(answer["test_set_scored_by"]) == 3
