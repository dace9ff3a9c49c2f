"""`jaxnet leave-one-out` as a user types it."""

import functools
import inspect
import json
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from conftest import Result
from PIL import Image
from scipy import stats

from jaxnet.commands import interruption
from jaxnet.commands import leave_one_out as command
from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.load import load_dataset
from jaxnet.many.leave_one_out import leave_one_out
from jaxnet.network import forward, init_params
from jaxnet.training import fit

Run = Callable[..., Result]
Write = Callable[..., Path]

QUICK = (
    *("--size", 8, "--iterations", 40, "--hidden-units", 4, "--weight-scale", "he"),
    *("--seeds", 4),
)


def test_the_default_is_that_of_the_library() -> None:
    for function in (command.leave_one_out, leave_one_out):
        assert inspect.signature(function).parameters["seeds"].default == command.SEEDS == 8


@functools.cache
def probabilities(folder: Path, seed: int, left_out: int | None) -> dict[str, np.ndarray]:
    dataset = load_dataset(folder, size=8)
    assert dataset.test is not None
    images, labels, _ = dataset.train
    kept = np.delete(np.arange(len(labels)), [] if left_out is None else left_out)
    params = init_params(jax.random.key(seed), 64, 4, weight_scale="he")
    trained = fit(
        params,
        to_columns(images[kept]),
        to_row(labels[kept]),
        learning_rate=0.05,
        iterations=40,
        basis="pixels",
    ).params
    return {
        name: np.asarray(jax.jit(forward)(trained, to_columns(split.images)).A2)[0]
        for name, split in dataset.splits.items()
    }


@pytest.mark.usefixtures("undrawn")
def test_the_answer_is_that_of_training_without_a_picture(jaxnet: Run, folder: Path) -> None:
    result = jaxnet(
        "leave-one-out",
        "--data",
        folder,
        *QUICK,
        "--learning-rate",
        0.05,
        "--picture",
        1,
        "--json",
    )
    assert result.code == 0
    answer = json.loads(result.out)
    labels = load_dataset(folder, size=8).train.labels
    m = len(labels)
    assert sum(answer["outcomes"].values()) == 4 * (m + 1)
    assert answer["settings"]["seeds"] == 4
    assert answer["settings"]["learning_rate"] == 0.05
    assert answer["settings"]["data"] == str(folder)
    assert (answer["settings"]["scale"], answer["settings"]["color"]) == ("symmetric", "gray")
    assert answer["left_out"]["pictures"] == m
    assert len(answer["left_out_by_seed"]) == len(answer["seen_by_seed"]) == 4
    assert sorted(answer["left_out_by_seed"])[1] == answer["left_out"]["accuracy"]["value"]

    whole = [probabilities(folder, seed, None) for seed in range(4)]
    (explained,) = answer["explained"]
    assert explained["picture"] == 1
    said = np.mean([A2["test"][1] for A2 in whole])
    assert explained["probability"] == pytest.approx(said, rel=1e-4)
    changes = [abs(row["change"]) for row in explained["by"]]
    assert changes == sorted(changes, reverse=True)
    assert len(answer["memorisation"]) == m
    for row, split in ((explained["by"][0], "test"), (answer["memorisation"][0], "train")):
        i = row["picture"]
        without = [probabilities(folder, seed, i) for seed in range(4)]
        j, sign = (1, 1) if split == "test" else (i, 1 if labels[i] else -1)
        pairs = zip(whole, without, strict=True)
        found = [sign * (a[split][j] - b[split][j]) for a, b in pairs]
        assert row["change"] == pytest.approx(np.mean(found), abs=1e-5)
        assert row["spread"] == pytest.approx(np.std(found, ddof=1), abs=1e-5)
        # All m changes are covered at once: a t quantile by Bonferroni.
        bound = stats.t.isf(0.05 / (2 * m), 3) * row["spread"] / 2
        assert row["noise"] == (abs(row["change"]) <= bound)
    # The last pair is that of the most memorised picture, by its own class.
    assert row["seen"] - row["left_out"] == pytest.approx(row["change"], abs=1e-6)
    assert row["seen"] == pytest.approx(
        np.mean([A2["train"][i] if labels[i] else 1 - A2["train"][i] for A2 in whole]), rel=1e-4
    )
    raised = [row["change"] for row in answer["memorisation"]]
    assert raised == sorted(raised, reverse=True)


def test_it_is_said_in_words_and_drawn(
    jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jaxnet.report.figures.influence.COLUMNS", 3)
    result = jaxnet("leave-one-out", "--data", folder, *QUICK, "--out", "here")
    assert result.code == 0
    m = len(load_dataset(folder, size=8).train.labels)
    for part in (
        f"(all {m} training pictures, and all but each of them) × 4 seeds = {4 * (m + 1)} networks",
        "of the training pictures are predicted correctly by networks trained without them",
        "always",
        "most memorised",
        'what changes P("cat") of test pictures',
        " ± ",
        "written: here/leave-one-out.png",
    ):
        assert part in result.out, part
    with Image.open("here/leave-one-out.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 300
    refused = jaxnet("leave-one-out", "--data", folder, *QUICK, "--out", "here")
    assert refused.code == 2
    assert "is not empty" in refused.err
    assert "networks of" not in refused.out


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_without_test_pictures(jaxnet: Run, h5: Write) -> None:
    path = h5(test_set_x=None, test_set_y=None)
    result = jaxnet("leave-one-out", "--data", path, *QUICK, "--json")
    assert json.loads(result.out)["explained"] == []
    assert "what changes" not in result.err


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--picture", 99), "--picture is 99"),
        (("--weight-scale", "she"), '--weight-scale is "she"'),
        (("--seeds", 3), "Invalid value for '--seeds'"),
    ],
)
def test_wrong_usage(jaxnet: Run, folder: Path, arguments: tuple[Any, ...], found: str) -> None:
    result = jaxnet("leave-one-out", "--data", folder, *QUICK, *arguments)
    assert result.code == 2
    assert found in result.err
    assert not Path("runs").exists()


def test_no_test_picture_can_be_explained_where_there_is_none(jaxnet: Run, h5: Write) -> None:
    path = h5(test_set_x=None, test_set_y=None)
    result = jaxnet("leave-one-out", "--data", path, *QUICK, "--picture", 0)
    assert result.code == 2
    assert "the data set has no test split" in result.err


def test_a_signal_ends_it_after_the_block_and_nothing_is_written(
    jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(sequence: Iterable[int], *_: object) -> Iterator[int]:
        for item in sequence:
            signal.raise_signal(signal.SIGTERM)
            yield item

    monkeypatch.setattr(interruption, "show_progress", interrupt)
    result = jaxnet("leave-one-out", "--data", folder, *QUICK)
    assert result.code == 128 + signal.SIGTERM
    assert "stopped: nothing is written" in result.out
    assert not Path("runs").exists()


@pytest.mark.usefixtures("undrawn")
def test_networks_that_went_wrong_are_told(jaxnet: Run, folder: Path) -> None:
    result = jaxnet("leave-one-out", "--data", folder, *QUICK, "--weight-scale", 0)
    assert result.code == 1
    assert re.search(r"\d+ of \d+ networks failed", result.out)
