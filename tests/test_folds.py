"""Cross-validation: each network is `fit` on the pictures of its folds, and predicts the others."""

import dataclasses
from typing import Any

import by_numpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet import Dataset, Preprocessing, Split, find_pairs
from jaxnet.data.hold_out import draw_held_out
from jaxnet.errors import DataError, UsageError
from jaxnet.examples import Examples, make_examples
from jaxnet.many import ways
from jaxnet.many.fold_draws import VALIDATION_STREAM
from jaxnet.many.folds import CrossValidation, cross_validate
from jaxnet.network import init_params
from jaxnet.settings import Settings, vary
from jaxnet.training import Fit, fit

SHARED = Settings(
    hidden_units=3, weight_scale=0.5, seed=5, iterations=15, learning_rate=0.3, precision="float64"
)
OTHER = Settings(
    hidden_units=2, weight_scale="he", seed=9, iterations=15, learning_rate=0.05, momentum=0.5,
    weight_decay=0.2, balanced=True, activation="sigmoid", precision="float64",
)  # fmt: skip
SETTINGS = (SHARED, OTHER)


def make_data(m: int = 12) -> Examples:
    draw = np.random.default_rng(m)
    X, Y = draw.uniform(-1, 1, (20, m)), (np.arange(m) % 3 == 0)[None].astype(float)
    return make_examples(*jax.device_put((X, Y)))


def fit_alone(data: Examples, settings: Settings, kept: np.ndarray, s: int, **more: Any) -> Fit:
    """Train on some pictures, in their pixels."""
    params = init_params(
        jax.random.key(settings.seed + s), len(data.X), settings.hidden_units,
        weight_scale=settings.weight_scale, dtype=jnp.float64,
    )  # fmt: skip
    labels = np.asarray(data.Y)[:, kept]
    X, Y = jax.device_put((np.asarray(data.X)[:, kept], labels))
    both_alike = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
    return fit(
        params, X, Y, settings.hidden, learning_rate=settings.learning_rate,
        momentum=settings.momentum, weight_decay=settings.weight_decay,
        iterations=settings.iterations, basis="pixels",
        weights=jax.device_put(both_alike) if settings.balanced else None, **more,
    )  # fmt: skip


def test_a_network_of_a_fold_is_fit_on_the_other_pictures(x64: None) -> None:
    data = make_data()
    result = cross_validate(data, SETTINGS, folds=3, repeats=2, seeds=2, nested=True)
    assert result.settings == SETTINGS
    assert result.training_size == 8
    assert result.inner is not None
    for place in np.ndindex(2, 2, 3, 2):
        one, r, k, s = place
        settings, outside = SETTINGS[one], result.folds[r] != k
        alone = fit_alone(data, settings, np.flatnonzero(outside), s)
        A2 = by_numpy.predict(alone.params, data.X, settings.hidden)
        ours = result.probabilities[one, r, s]
        np.testing.assert_allclose(ours[~outside], A2[~outside], rtol=0, atol=1e-12)
        assert result.outcomes[place] == alone.outcome
        if not one:
            continue
        inner = result.inner[place]
        assert np.isnan(inner[~outside]).all()
        for other in {0, 1, 2} - {k}:
            without = ~np.isin(result.folds[r], [k, other])
            alone = fit_alone(data, settings, np.flatnonzero(without), s)
            A2 = by_numpy.predict(alone.params, data.X, settings.hidden)
            of_other = result.folds[r] == other
            np.testing.assert_allclose(inner[of_other], A2[of_other], rtol=0, atol=1e-12)
    assert (result.best_iterations == -1).all()


def test_settings_with_patience_hold_out_a_share_of_each_fold(x64: None) -> None:
    data = make_data(18)
    early = dataclasses.replace(SHARED, patience=2, iterations=30, momentum=0.9)
    result = cross_validate(data, [SHARED, early], folds=2, repeats=1, validation=0.25, seed=4)
    lengths = []
    for k in range(2):
        outside = np.flatnonzero(result.folds[0] != k)
        labels = result.labels[outside]
        drawn = draw_held_out(labels, (4, VALIDATION_STREAM, 0, k), share=0.25)
        held = outside[drawn]
        validation = jax.device_put([np.asarray(array)[:, held] for array in data[:2]])
        alone = fit_alone(
            data, early, outside[~drawn], 0, patience=2, validation=Examples(*validation)
        )
        assert alone.validation_costs is not None
        lengths.append(len(alone.costs))
        A2 = by_numpy.predict(alone.params, data.X)
        own = result.folds[0] == k
        np.testing.assert_allclose(result.probabilities[1, 0, 0, own], A2[own], atol=1e-12)
        assert result.best_iterations[1, 0, k, 0] == np.argmin(alone.validation_costs)
    assert min(lengths) < 30
    # Without patience, all pictures of the fold are trained on.
    whole = cross_validate(data, SHARED, folds=2, repeats=1, seed=4)
    np.testing.assert_array_equal(result.probabilities[0], whole.probabilities[0])


def make_dataset(groups: np.ndarray | None = None) -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (34, 10, 9, 3), dtype=np.uint8)
    labels = np.arange(34) % 2
    return Dataset(
        Split(images[:24], labels[:24], groups),
        Split(images[24:28], labels[24:28]),
        ("no", "yes"),
        validation=Split(images[28:], labels[28:]),
    )


def validate(data: Dataset | Examples, settings: Any = None, **options: Any) -> CrossValidation:
    usual: dict[str, Any] = {"folds": 3, "repeats": 4}
    settings = settings or Settings(hidden_units=1, iterations=1)
    return cross_validate(data, settings, **(usual | options))


def test_all_pictures_but_the_test_set_are_divided_and_none_that_belong_together_parted() -> None:
    groups = np.array([f"animal {i // 4}" for i in range(24)])
    data = make_dataset(groups)
    images = data.train.images.copy()
    images[[3, 20]] = images[[10, 11]]  # groups 0 and 2, 5 and 2
    assert data.validation is not None
    data.validation.images[1] = images[16]  # group 4
    data = dataclasses.replace(data, train=data.train._replace(images=images))
    result = validate(data, preprocessing=Preprocessing(10, 9))
    assert data.test is not None
    assert data.validation is not None
    assert result.labels.tolist() == [*data.train.labels, *data.validation.labels]
    joined = np.append(np.array([0, 1, 0, 3, 4, 0])[np.arange(24) // 4], [-1, 4, -2, -3, -4, -5])
    for row in result.folds:
        for number in np.unique(joined):
            assert len(set(row[joined == number])) == 1
    known = validate(data, preprocessing=Preprocessing(10, 9), pairs=find_pairs(data))
    np.testing.assert_array_equal(known.folds, result.folds)
    # The test set plays no part.
    other = dataclasses.replace(data, test=data.test._replace(images=data.test.images[::-1]))
    again = validate(other, preprocessing=Preprocessing(10, 9))
    np.testing.assert_array_equal(again.probabilities, result.probabilities)


def test_equal_examples_and_groups_of_examples_are_not_parted() -> None:
    X = np.random.default_rng(1).normal(size=(5, 12)).astype(np.float32)
    X[:, 7] = X[:, 2]
    data = Examples(*jax.device_put((X, (np.arange(12) % 2)[None].astype(np.float32))))
    groups = np.array([0, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9])
    for row in validate(data, groups=groups, repeats=8).folds:
        assert row[7] == row[2]
        assert row[0] == row[1]
        assert row[9] == row[11]


def test_processes_share_out_the_ways(monkeypatch: pytest.MonkeyPatch, x64: None) -> None:
    whole = validate(make_data(), SHARED, seeds=2)
    shares: list[Any] = []

    def tell(part: Any) -> list[Any]:
        shares.append(part)
        return [part]

    for index in range(2):
        monkeypatch.setattr(ways, "own_share", lambda items, index=index: items[index::2])
        monkeypatch.setattr(ways, "gather_objects", tell)
        monkeypatch.setattr(ways, "Trained", lambda **_: None)
        monkeypatch.setattr("jaxnet.many.folds._arrange", lambda *_: None)
        validate(make_data(), SHARED, seeds=2)
    monkeypatch.undo()
    monkeypatch.setattr(ways, "gather_objects", lambda _: shares)
    with jax.enable_x64(True):
        np.testing.assert_array_equal(
            validate(make_data(), SHARED, seeds=2).probabilities, whole.probabilities
        )


def test_other_folds_and_settings_compile_nothing_anew(x64: None) -> None:
    from jaxnet.many import engine

    program = engine._block_program(small_products=True)
    program.clear_cache()
    validate(make_data(), vary(SHARED, learning_rate=[0.1, 0.2]))
    validate(make_data(), vary(SHARED, learning_rate=[0.3, 0.4], weight_scale=["he"]), seed=3)
    assert program._cache_size() == 1


@pytest.mark.parametrize(
    ("options", "error", "found"),
    [
        ({"folds": 5}, DataError, '5 folds, but "class 1" has 4 pictures'),
        ({"folds": 2, "nested": True}, UsageError, "folds is 2"),
        ({"repeats": 0}, UsageError, "repeats is 0"),
        ({"seeds": 0}, UsageError, "seeds is 0"),
        ({"seed": -1}, UsageError, "seed is -1"),
        ({"validation": 0.2}, UsageError, "no setting has a patience"),
        ({"settings": Settings(patience=3)}, UsageError, "patience is 3"),
        ({"settings": Settings(optimizer="adam")}, UsageError, "optimizer of many networks"),
        ({"settings": [Settings(), SHARED]}, UsageError, "float32 and float64"),
        ({"settings": [1]}, UsageError, r"settings holds \['int'\]"),
        ({"settings": []}, UsageError, "settings holds"),
        ({"groups": np.arange(3)}, DataError, "groups has shape"),
        (
            # Of class 1 there are two groups, of which one is in the other fold.
            {
                "settings": Settings(patience=3),
                "validation": 0.2,
                "folds": 2,
                "groups": np.where(np.arange(12) % 3 == 0, np.arange(12) % 2, 2 + np.arange(12)),
            },
            DataError,
            "leaves out a class",
        ),
    ],
)
def test_bad_input_is_told_at_once(options: dict[str, Any], error: type, found: str) -> None:
    narrow = [np.asarray(array, np.float32) for array in make_data()[:2]]
    data = make_examples(*jax.device_put(narrow))
    arguments: dict[str, Any] = {"settings": Settings(), "folds": 3, "repeats": 2} | options
    with pytest.raises(error, match=found):
        cross_validate(data, **arguments)


def test_more_predictions_than_fit_into_memory(monkeypatch: pytest.MonkeyPatch, x64: None) -> None:
    monkeypatch.setattr(ways, "MOST_NUMBERS", 3 * 2 * 12 - 1)
    with pytest.raises(UsageError, match="6 networks would give 72 probabilities"):
        validate(make_data(), SHARED, repeats=2)


def test_groups_beside_a_data_set_are_refused() -> None:
    with pytest.raises(UsageError, match="groups are given together with a data set"):
        validate(make_dataset(), groups=np.arange(30))
