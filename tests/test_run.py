"""A run: trained, saved, loaded, continued and repeated, to the bit."""

import dataclasses
import functools
import hashlib
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import chex
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fixed_length import fixed_length

from jaxnet import __version__
from jaxnet.activations import ACTIVATIONS, Activation
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.load import load_dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import DataError, ModelFileError, UsageError
from jaxnet.io import bounded_hdf5
from jaxnet.io.names import CLAIM_NAME, MODEL_NAME
from jaxnet.network import init_params
from jaxnet.runs import repeat as repeat_module
from jaxnet.runs.model_file import load_model, save_model
from jaxnet.runs.repeat import repeat
from jaxnet.runs.run import Run, columns_of, first_params, load_data_for, load_run, versions
from jaxnet.runs.train import resume, train
from jaxnet.settings import Settings
from jaxnet.training import Descent, fit

QUICK = Settings(hidden_units=3, weight_scale=0.3, learning_rate=0.05, iterations=40)

# Every way in which a step can be made.
WAYS: dict[str, dict[str, Any]] = {
    "span": {},
    "pixels": {"basis": "pixels"},
    "momentum": {"momentum": 0.9, "activation": "leaky_relu"},
    "nesterov": {"momentum": 0.9, "nesterov": True, "basis": "pixels"},
    "adam": {"optimizer": "adam", "learning_rate": 0.01},
    "balanced": {"balanced": True},
    "batches": {"batch": 3, "balanced": True},
    "batches of pixels": {"batch": 3, "basis": "pixels", "momentum": 0.9},
}

# Each way in one precision, and the span in both. The other pairs are slow tests.
QUICK_WAYS = {
    ("span", "float32"),
    ("span", "float64"),
    ("pixels", "float64"),
    ("momentum", "float32"),
    ("nesterov", "float32"),
    ("adam", "float64"),
    ("balanced", "float64"),
    ("batches", "float32"),
    ("batches of pixels", "float64"),
}


def every_way(quick: set[tuple[str, str]]) -> pytest.MarkDecorator:
    """Make the cases of a test: each way in each precision, slow if it is not one of `quick`.

    Only batches are drawn for a chunk by a program of its length; the others share one.
    """
    cases = []
    for way, precision in itertools.product(WAYS, ("float32", "float64")):
        marks = [] if (way, precision) in quick else [pytest.mark.slow]
        marks += [pytest.mark.optimized] if "batch" in WAYS[way] else []
        cases.append(pytest.param(way, precision, marks=marks))
    return pytest.mark.parametrize(("way", "precision"), cases)


EVERY_WAY = every_way(QUICK_WAYS)


def make_data(**changes: Any) -> Dataset:
    """Eight pictures of noise to train on, three of them of class 1, and four to test on."""
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 6, 3), dtype=np.uint8)
    train = Split(images[:8], np.array([0, 1, 0, 0, 1, 0, 1, 0]))
    data = Dataset(train, Split(images[8:], np.array([0, 1, 1, 0])), ("no", "yes"), "noise")
    return dataclasses.replace(data, **changes)


DATA = make_data()


@functools.cache
def quick_run() -> Run:
    """Train once what many tests save, edit and continue."""
    return train(DATA, QUICK)


def settings_of(way: str, **changes: Any) -> Settings:
    return dataclasses.replace(QUICK, **WAYS[way], **changes)


def assert_same(ours: Run, theirs: Run) -> None:
    """Assert that two runs are one, to the bit."""
    chex.assert_trees_all_equal(ours.model.params, theirs.model.params)
    chex.assert_trees_all_equal_dtypes(ours.model.params, theirs.model.params)
    np.testing.assert_array_equal(ours.costs, theirs.costs)
    assert ours.costs.dtype == theirs.costs.dtype
    for name in ("preprocessing", "classes", "hidden", "outcome", "settings", "data_source"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.origin == theirs.origin


def test_a_run_is_the_fit_of_its_settings() -> None:
    data = make_data()
    run = train(data, settings_of("balanced", seed=3), Preprocessing(8, 6, "rgb", "unit"))
    params = init_params(jax.random.key(3), 8 * 6 * 3, 3, weight_scale=0.3)
    assert run.examples is not None
    X, Y, weights = run.examples
    assert weights is not None
    assert (X.shape, Y.shape) == ((144, 8), (1, 8))
    np.testing.assert_allclose(weights, np.where(data.train.labels == 1, 4 / 3, 4 / 5)[None])
    reached = fit(params, X, Y, learning_rate=0.05, iterations=40, weights=weights)
    chex.assert_trees_all_equal(run.model.params, reached.params)
    np.testing.assert_array_equal(run.costs, reached.costs)
    assert run.outcome == reached.outcome
    assert run.settings == settings_of("balanced", seed=3, basis="span")
    chex.assert_trees_all_equal(first_params(run), params)
    assert run.seconds > 0


@pytest.mark.parametrize("way", ["momentum", "nesterov"])
def test_what_is_set_is_what_fit_is_given(way: str) -> None:
    how = {"learning_rate": 0.05, "iterations": 40} | WAYS[way]
    run = train(DATA, settings_of(way))
    assert run.examples is not None
    hidden = ACTIVATIONS[how.pop("activation", "relu")]
    reached = fit(first_params(run), *run.examples[:2], hidden, **how)
    np.testing.assert_array_equal(run.costs, reached.costs)
    chex.assert_trees_all_equal(run.model.params, reached.params)
    assert (run.descent.W1 is None) == (how.get("basis") == "pixels")


def test_what_a_run_knows_of_itself() -> None:
    data = make_data()
    run = train(data, QUICK, command="jaxnet train --hidden-units 3")
    assert run.origin == {
        "source": "noise",
        "sha256": data.sha256,
        "train_sha256": data.train_sha256,
        "train_pictures": 8,
        **versions(),
        "command": "jaxnet train --hidden-units 3",
    }
    assert (run.classes, run.preprocessing) == (("no", "yes"), Preprocessing(8, 6))
    assert run.data_source is None
    assert run.trained_on(data) is True
    assert run.trained_on(make_data(test=None)) is True
    assert run.trained_on(make_data(classes=("yes", "no"))) is False
    assert dataclasses.replace(run, origin={}).trained_on(data) is None
    chex.assert_trees_all_equal(columns_of(run), run.examples)


def test_versions_name_what_computed() -> None:
    names = {"device", "prng", "python", "jaxnet", "jax", "jaxlib", "optax", "numpy"}
    assert versions().keys() == names
    assert versions()["jax"] == jax.__version__
    assert versions()["jaxnet"] == __version__
    assert versions()["device"] == jnp.zeros(1).devices().pop().device_kind
    assert versions()["prng"] == "threefry2x32"
    with jax.default_prng_impl("rbg"):
        assert versions()["prng"] == "rbg"


@pytest.mark.parametrize("prng", ["threefry2x32", "rbg"])
def test_the_first_parameters_are_drawn_with_the_runs_own_generator(
    prng: str, tmp_path: Path
) -> None:
    with jax.default_prng_impl(prng):
        run = train(make_data(), dataclasses.replace(QUICK, seed=7))
        expected = init_params(jax.random.key(7), 48, 3, weight_scale=0.3)
    assert isinstance(run.descent, Descent)
    np.testing.assert_array_equal(run.descent.W1, expected["W1"])
    loaded = load_run(run.save(tmp_path / "run"))
    for one in (run, loaded):
        chex.assert_trees_all_equal(first_params(one), expected)


def test_what_cannot_be_trained_is_refused() -> None:
    data = make_data()
    with pytest.raises(UsageError, match="settings is of type dict"):
        train(data, {"seed": 3})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="preprocessing is of type tuple"):
        train(data, QUICK, (8, 6))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="run is of type Model"):
        resume(train(data, QUICK).model, data)  # type: ignore[arg-type]
    for chunk in (0, 2.5, True):
        with pytest.raises(UsageError, match="chunk is"):
            train(data, QUICK, chunk=chunk)  # type: ignore[arg-type]
    alone = make_data(train=Split(data.train.images[:2], np.array([1, 1])))
    with pytest.raises(DataError, match='every training picture is "yes"'):
        train(alone, QUICK)


# Files


@EVERY_WAY
def test_a_run_that_is_saved_is_loaded(way: str, precision: str, tmp_path: Path) -> None:
    settings = settings_of(way, precision=precision)
    data = make_data(data_source=DataSource("pets", size=8, skip_bad=True))
    run = train(data, settings, command="a\nb")
    assert run.save(tmp_path / "run") == tmp_path / "run"
    assert {path.name for path in (tmp_path / "run").iterdir()} == {MODEL_NAME, CLAIM_NAME}
    loaded = load_run(tmp_path / "run")
    assert_same(loaded, run)
    assert loaded.costs.dtype == precision
    assert loaded.examples is None
    assert_same(load_run(str(tmp_path / "run" / MODEL_NAME)), run)
    again = load_run(loaded.save(tmp_path / "again"))
    assert_same(again, run)
    chex.assert_trees_all_equal(columns_of(loaded, data), columns_of(run))


def test_a_folder_is_not_written_to_unasked(tmp_path: Path) -> None:
    run = quick_run()
    run.save(tmp_path / "run")
    with pytest.raises(UsageError, match="run is not empty"):
        run.save(tmp_path / "run")
    longer = resume(run, make_data(), iterations=50)
    longer.save(tmp_path / "run", force=True)
    assert_same(load_run(tmp_path / "run"), longer)


def test_no_folder_is_claimed_for_what_is_not_saved(tmp_path: Path) -> None:
    run = quick_run()
    own = Activation("sigmoid", jnp.tanh, lambda Z: 1 - jnp.tanh(Z) ** 2)
    with pytest.raises(UsageError, match="differs from that of jaxnet"):
        dataclasses.replace(run, hidden=own).save(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_activation_of_ones_own_is_not_taken_for_that_of_the_settings(tmp_path: Path) -> None:
    own = Activation("tanh", jnp.tanh, lambda Z: 1 - jnp.tanh(Z) ** 2)
    run = dataclasses.replace(quick_run(), hidden=own)
    run.save(tmp_path / "run")
    with pytest.raises(ModelFileError, match='the unknown activation "tanh"'):
        load_run(tmp_path / "run")
    loaded = load_run(tmp_path / "run", activations={"tanh": own})
    assert loaded.hidden == own
    continued = resume(loaded, make_data(), iterations=60)
    assert continued.hidden == own
    assert continued.costs[-1] != resume(quick_run(), make_data(), iterations=60).costs[-1]


def test_the_home_of_a_user_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run = quick_run()
    assert run.save("~/run") == tmp_path / "run"
    assert_same(load_run("~/run"), run)


def test_a_run_is_opened_and_verified_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = quick_run().save(tmp_path / "run")
    counts = {"opened": 0, "bytes": 0}
    open_file, sha256 = h5py.h5f.open, hashlib.sha256

    def count_opened(*arguments: Any, **options: Any) -> Any:
        counts["opened"] += 1
        return open_file(*arguments, **options)

    def count_bytes(content: Any = b"") -> Any:
        counts["bytes"] += len(content)
        return sha256(content)

    monkeypatch.setattr(h5py.h5f, "open", count_opened)
    monkeypatch.setattr(bounded_hdf5, "hashlib", SimpleNamespace(sha256=count_bytes))
    run = load_run(folder)
    assert counts == {"opened": 1, "bytes": os.path.getsize(folder / MODEL_NAME) - 32}
    first_params(run)
    assert run.model.params is not None
    assert counts["opened"] == 1


def test_a_bare_network_is_no_run(tmp_path: Path) -> None:
    run = quick_run()
    save_model(tmp_path / MODEL_NAME, run.model)
    bare = load_run(tmp_path)
    assert (bare.settings, bare.data_source, bare.outcome) == (None, None, "unfinished")
    assert bare.costs.shape == (0,)
    chex.assert_trees_all_equal(bare.model.params, run.model.params)
    for use, found in (
        (lambda: resume(bare, make_data()), "the run has a network without its settings"),
        (lambda: repeat(bare, make_data()), "the run has no iterations that could be repeated"),
        (lambda: first_params(bare), "does not record the settings that determine"),
        (lambda: load_data_for(bare), "does not record on which data it was trained"),
        (lambda: columns_of(bare, make_data()), "has no pictures"),
    ):
        with pytest.raises(UsageError) as caught:
            use()
        assert found in caught.value.found
    assert load_run(bare.save(tmp_path / "copy")).settings is None


def test_the_data_of_a_run(folder: Path, h5: Callable[..., Path]) -> None:
    data = load_dataset(folder, size=8, positive="dog")
    run = train(data, QUICK)
    assert load_data_for(run).sha256 == data.sha256
    assert load_data_for(run, size=9).train.images.shape[1:] == (9, 9, 3)
    others = load_data_for(run, data=str(folder), size=8)
    assert others.classes == ("cat", "dog"), "the run's own positive class, where they have it"
    assert load_data_for(run, data=str(h5())).classes == ("non-cat", "cat"), "or theirs"
    loaded = dataclasses.replace(run, examples=None)
    with pytest.raises(UsageError, match="has no pictures"):
        columns_of(loaded)
    chex.assert_trees_all_equal(columns_of(loaded, data), run.examples)
    with pytest.raises(UsageError, match="other pictures or labels"):
        columns_of(loaded, make_data())


# The hook


def test_the_hook_sees_every_chunk_and_may_stop_the_run() -> None:
    data = make_data()
    whole = train(data, QUICK)
    reached: list[Run] = []
    same = train(data, QUICK, hook=reached.append, chunk=15)
    assert_same(same, whole)
    assert [len(run.costs) for run in reached] == [15, 30, 40]
    assert [run.outcome for run in reached] == ["unfinished", "unfinished", whole.outcome]
    for run in reached:
        np.testing.assert_array_equal(run.costs, whole.costs[: len(run.costs)])

    stopped = train(data, QUICK, hook=lambda run: len(run.costs) >= 20, chunk=10)
    assert (len(stopped.costs), stopped.outcome) == (20, "stopped")
    assert stopped.settings == whole.settings
    assert_same(resume(stopped, data), whole)
    ended = train(data, QUICK, hook=lambda run: len(run.costs) == 40, chunk=10)
    assert ended.outcome == whole.outcome, "after the last iteration nothing is left to stop"
    assert train(data, QUICK, hook=lambda run: False).outcome == whole.outcome


def test_a_checkpoint_within_the_hook_is_a_run(tmp_path: Path) -> None:
    data = make_data()
    whole = train(data, QUICK)

    def save_once(run: Run) -> None:
        if len(run.costs) == 10:
            run.save(tmp_path / "run")

    train(data, QUICK, hook=save_once, chunk=10)
    killed = load_run(tmp_path / "run")
    assert (len(killed.costs), killed.outcome) == (10, "unfinished")
    assert_same(resume(killed, data), whole)


# Continuing


@EVERY_WAY
def test_a_resumed_run_has_the_bits_of_one_that_was_never_stopped(
    way: str, precision: str, tmp_path: Path
) -> None:
    data, settings = make_data(), settings_of(way, precision=precision)
    whole = train(data, settings)
    part = train(data, dataclasses.replace(settings, iterations=17))
    assert part.settings is not None
    loaded = load_run(part.save(tmp_path / "run"))
    for stopped in (part, loaded):
        resumed = resume(stopped, data, iterations=40, chunk=7)
        assert_same(resumed, whole)
        chex.assert_trees_all_equal(resumed.examples, whole.examples)
    assert len(part.costs) == len(loaded.costs) == 17, "what it started from is as it was"
    once_more = load_run(resumed.save(tmp_path / "more"))
    longer = dataclasses.replace(settings, iterations=60)
    assert_same(resume(once_more, data, iterations=60), train(data, longer))


def test_w1_times_x_is_not_computed_anew(tmp_path: Path) -> None:
    """On another machine it could have other last bits."""
    data = make_data()
    folder = train(data, QUICK).save(tmp_path / "run")
    expected = resume(load_run(folder), data, iterations=50)
    with h5py.File(folder / MODEL_NAME, "a") as file:
        file["descent/Z1"][...] *= 1.01
    changed = resume(load_run(folder), data, iterations=50)
    np.testing.assert_array_equal(changed.costs[:40], expected.costs[:40])
    assert (changed.costs[40:] != expected.costs[40:]).all()


def test_a_run_in_epochs_is_resumed_at_every_batch(tmp_path: Path) -> None:
    data, alike = make_data(), {"hidden_units": 3, "weight_scale": 0.3, "learning_rate": 0.05}
    settings = Settings(**alike, batch=3, epochs=4)  # type: ignore[arg-type]
    whole = train(data, settings)
    assert whole.settings == dataclasses.replace(QUICK, batch=3, iterations=12, basis="span")
    for stop in range(1, 7):  # two epochs of three batches
        half = train(data, dataclasses.replace(QUICK, batch=3, iterations=stop))
        kept = load_run(half.save(tmp_path / str(stop)))
        assert_same(resume(kept, data, epochs=4), whole)
        assert len(kept.epoch_costs) == stop // 3
    expected = np.average(whole.costs.reshape(4, 3), axis=1, weights=[3, 3, 2])
    np.testing.assert_allclose(whole.epoch_costs, expected, rtol=1e-6)
    assert whole.epoch == 3
    assert train(data, dataclasses.replace(settings, batch=None)).epoch == 1
    with pytest.raises(UsageError, match="iterations is 12 and epochs is 4"):
        resume(whole, data, iterations=12, epochs=4)


@pytest.mark.parametrize("number", [None, 0, "many"])
def test_the_number_of_training_pictures_is_checked(number: Any, tmp_path: Path) -> None:
    settings = dataclasses.replace(QUICK, batch=3, iterations=2)
    path = train(make_data(), settings).save(tmp_path / "run") / MODEL_NAME
    with h5py.File(path, "a") as file:
        del file["origin"].attrs["train_pictures"]
        if number is not None:
            file["origin"].attrs["train_pictures"] = fixed_length(number)
    with pytest.raises(ModelFileError, match="train_pictures"):
        load_run(path)


def test_a_run_with_all_iterations_made_gets_its_outcome_only(tmp_path: Path) -> None:
    """It was killed after its last checkpoint, and before its outcome was saved."""
    data = make_data()
    whole = train(data, QUICK)
    killed = dataclasses.replace(whole, outcome="unfinished", examples=None)
    loaded = load_run(killed.save(tmp_path / "run"))
    assert loaded.outcome == "unfinished"
    calls: list[Run] = []
    for iterations in (None, 40):
        ended = resume(loaded, data, iterations=iterations, hook=calls.append)
        assert_same(ended, whole)
        chex.assert_trees_all_equal(ended.examples, whole.examples)
    assert not calls


@pytest.mark.parametrize("iterations", [39, 1, 0, -1, 40.0, True, "50", 10**12])
def test_iterations_that_a_run_cannot_have(iterations: Any) -> None:
    with pytest.raises(UsageError) as caught:
        resume(quick_run(), DATA, iterations=iterations)
    if iterations in (39, 1) and iterations is not True:
        assert caught.value.found == "the run has made 40 iterations"
        assert caught.value.expected == f"at least as many in all, not {iterations}"
    else:
        assert caught.value.found.startswith("iterations is")


def permuted(split: Split) -> Split:
    order = [1, 0, *range(2, len(split.labels))]
    return Split(split.images[order], split.labels[order])


def flipped(split: Split) -> Split:
    return Split(split.images, 1 - split.labels)


def shortened(split: Split) -> Split:
    return Split(split.images[:7], split.labels[:7])


def brightened(split: Split) -> Split:
    """Change one number by one."""
    images = split.images.copy()
    images[-1, -1, -1, -1] ^= 1
    return Split(images, split.labels)


assert DATA.test is not None


@pytest.mark.parametrize(
    ("other", "part"),
    [
        (make_data(train=permuted(DATA.train)), "pictures or labels"),
        (make_data(train=flipped(DATA.train)), "pictures or labels"),
        (make_data(train=brightened(DATA.train)), "pictures or labels"),
        (
            make_data(train=shortened(DATA.train)),
            "pictures or labels",
        ),
        (make_data(classes=("yes", "no")), "pictures or labels"),
        (make_data(test=permuted(DATA.test)), "test pictures or labels"),
        (make_data(test=flipped(DATA.test)), "test pictures or labels"),
        (make_data(test=None), "test pictures or labels"),
        (make_data(train=DATA.test, test=DATA.train), "pictures or labels"),
    ],
    ids=[
        "permuted",
        "labels flipped",
        "one byte",
        "one less",
        "classes",
        "test permuted",
        "test flipped",
        "no test",
        "splits exchanged",
    ],
)
def test_a_run_continues_with_its_own_data_only(other: Dataset, part: str, tmp_path: Path) -> None:
    run = quick_run()
    loaded = load_run(run.save(tmp_path / "run"))
    for one in (run, loaded):
        for use in (lambda run, data: resume(run, data, iterations=50), repeat):
            with pytest.raises(UsageError) as caught:
                use(one, other)
            assert f"noise holds other {part} than the run was trained on" in caught.value.found
            assert caught.value.expected == "the same pictures, in the same order, to the last byte"
    resume(loaded, make_data(source="moved"), iterations=50)


def test_settings_edited_by_hand_are_refused(tmp_path: Path) -> None:
    """What the stored descent contradicts."""
    folder = train(DATA, settings_of("momentum")).save(tmp_path / "run")
    whole = (folder / MODEL_NAME).read_bytes()
    for name, value, found in (
        ("learning_rate", 0.1, "the run was trained with the learning_rate 0.05"),
        ("momentum", 0.8, "the run was trained with the momentum 0.9"),
        ("hidden_units", 4, "have hidden_units = 4, but its network has 3"),
        ("precision", "float64", "have precision = float64, but its network has float32"),
        ("basis", "pixels", "the run was trained in the basis span, but its settings have pixels"),
        ("optimizer", "sgdm", "was saved with the setting optimizer = 'sgdm'"),
    ):
        (folder / MODEL_NAME).write_bytes(whole)
        with h5py.File(folder / MODEL_NAME, "a") as file:
            file["settings"].attrs[name] = fixed_length(value)
        with pytest.raises(ModelFileError) as caught:
            resume(load_run(folder), DATA, iterations=50)
        assert found in caught.value.found, name
        load_model(folder)


def test_a_run_keeps_the_commands_that_made_it(tmp_path: Path) -> None:
    begun = "jaxnet train --out run"
    run = train(DATA, QUICK, command=begun)
    resumed = "jaxnet train --resume run --iterations 50"
    for _ in range(3):
        run = resume(run, DATA, iterations=50, command=resumed)
    assert run.origin["command"] == f"{begun}\n{resumed}", "each once"
    assert resume(run, DATA, iterations=51).origin["command"] == f"{begun}\n{resumed}"
    assert resume(quick_run(), DATA, command=resumed).origin["command"] == resumed


def test_a_resumed_run_knows_where_its_data_are_now() -> None:
    here, there = DataSource("here"), DataSource("there")
    run = train(make_data(data_source=here), QUICK)
    assert resume(run, make_data(data_source=there)).data_source == there
    assert resume(run, make_data(data_source=None)).data_source == here


def test_a_run_that_is_not_finite_is_kept_where_all_was_finite(tmp_path: Path) -> None:
    settings = dataclasses.replace(QUICK, learning_rate=1e9)
    run = train(DATA, settings)
    assert run.outcome == "not finite"
    assert len(run.costs) > len(run.descent.costs)
    loaded = load_run(run.save(tmp_path / "run"))
    assert loaded.outcome == "not finite"
    assert np.isfinite(loaded.costs).all()
    chex.assert_trees_all_equal(loaded.model.params, run.model.params)
    again = resume(loaded, DATA)
    assert again.outcome == "not finite"
    np.testing.assert_array_equal(again.costs, run.costs)
    repetition = repeat(loaded, DATA)
    assert repetition.same


# Repeating


@EVERY_WAY
def test_a_repeated_run_has_the_same_bits(way: str, precision: str, tmp_path: Path) -> None:
    run = train(DATA, settings_of(way, precision=precision, seed=2))
    for one in (run, load_run(run.save(tmp_path / "run"))):
        again = repeat(one, DATA)
        assert again.same
        assert (again.differs_from, again.largest_difference) == (None, 0.0)
        assert (again.parameters_differ, again.versions) == ((), {})
        chex.assert_trees_all_equal(again.run.model.params, run.model.params)


def test_a_stopped_run_is_repeated_as_far_as_it_came() -> None:
    run = train(DATA, QUICK, hook=lambda run: len(run.costs) >= 20, chunk=10)
    again = repeat(run, DATA)
    assert again.same
    assert len(again.run.costs) == 20
    seen: list[Run] = []
    repeat(run, DATA, hook=seen.append)
    assert [len(run.costs) for run in seen] == [20]
    stopped = repeat(
        train(DATA, dataclasses.replace(QUICK, iterations=150)), DATA, hook=lambda _: True
    )
    assert (stopped.same, stopped.differs_from) == (False, len(stopped.run.costs))


def test_a_run_with_other_numbers_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    run = quick_run()
    costs = run.costs.copy()
    costs[[12, 30]] += (-0.5, 0.25)
    assert isinstance(run.descent, Descent)
    edited = dataclasses.replace(
        run, descent=dataclasses.replace(run.descent, costs=costs), costs=costs
    )
    again = repeat(edited, DATA)
    assert not again.same
    assert again.differs_from == 12
    assert again.largest_difference == pytest.approx(0.5, rel=1e-6)
    assert again.parameters_differ == ()

    state = run.descent.state
    params = state.params | {"b2": state.params["b2"] + 1}
    moved = dataclasses.replace(run.descent, state=state._replace(params=params))
    again = repeat(dataclasses.replace(run, descent=moved), DATA)
    assert not again.same
    assert (again.differs_from, again.parameters_differ) == (None, ("b2",))

    origin = {name: value for name, value in run.origin.items() if name != "optax"}
    now = versions() | {"jax": "99.0"}
    monkeypatch.setattr(repeat_module, "versions", lambda: now)
    again = repeat(dataclasses.replace(run, origin=origin), DATA)
    assert again.same
    assert again.versions == {
        "jax": (jax.__version__, "99.0"),
        "optax": (None, now["optax"]),
    }


def test_a_run_is_repeated_with_its_own_generator() -> None:
    with jax.default_prng_impl("rbg"):
        run = train(DATA, QUICK)
    again = repeat(run, DATA)
    assert again.same
    assert again.versions == {"prng": ("rbg", "threefry2x32")}
    other = repeat(dataclasses.replace(run, origin=run.origin | {"prng": "threefry2x32"}), DATA)
    assert other.differs_from == 0
    assert set(other.parameters_differ) >= {"W1", "W2"}


def test_the_run_of_a_command_is_the_run_of_the_library(
    jaxnet: Callable[..., Any], folder: Path, undrawn: None
) -> None:
    typed = ("--data", folder, "--size", 8, "--hidden-units", 3, "--iterations", 30, "--no-page")
    jaxnet("train", *typed, "--out", "run")
    run = load_run("run")
    data = load_dataset(folder, size=8)
    ours = train(data, Settings(hidden_units=3, iterations=30))
    chex.assert_trees_all_equal(ours.model.params, run.model.params)
    assert run.data_source == ours.data_source
    assert str(run.origin["command"]).startswith("jaxnet train --data")
    assert repeat(run, load_data_for(run)).same
