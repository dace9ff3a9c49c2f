import dataclasses

import by_numpy
import jax
import numpy as np
import pytest

from jaxnet.data.dataset import Dataset, Split
from jaxnet.errors import DataError, UsageError
from jaxnet.examples import Examples, make_examples
from jaxnet.many.engine import train_networks
from jaxnet.many.learning_curve import LearningCurve, choose_sizes, learning_curve
from jaxnet.settings import Settings
from jaxnet.training import fit

SETTINGS = Settings(hidden_units=3, iterations=30, learning_rate=0.5, weight_scale=0.3, seed=4)
SIZES = (6, 10, 18)


def draw_examples(m: int = 24) -> Examples:
    labels = np.arange(m) % 2
    X = np.random.default_rng(0).normal(size=(6, m)) + 0.8 * (2 * labels - 1)
    return make_examples(*jax.device_put((X.astype(np.float32), labels[None].astype(np.float32))))


@pytest.fixture(scope="module")
def curve() -> LearningCurve:
    return learning_curve(draw_examples(), SETTINGS, sizes=SIZES, subsets=3, seeds=2)


def test_subsets_have_both_classes_in_their_shares(curve: LearningCurve) -> None:
    assert curve.correct.shape == (3, 3, 2, 24)
    assert curve.sizes.tolist() == list(SIZES)
    trained_on = ~curve.held_out
    for size, drawn in zip(SIZES, trained_on, strict=True):
        assert (drawn[:, curve.labels == 1].sum(axis=1) == size / 2).all()
        assert (drawn[:, curve.labels == 0].sum(axis=1) == size / 2).all()
    assert (trained_on[0, 0] != trained_on[0, 1]).any()


def test_each_network_is_that_of_its_own_seed_and_subset(curve: LearningCurve) -> None:
    """Subset 2 of size 10, its second seed: 4 + 2 · 2 + 1; by `fit` on these pictures alone."""
    from jaxnet.runs.run import draw_params

    X, Y, _ = jax.device_get(draw_examples())
    kept = np.flatnonzero(~curve.held_out[1, 2])
    start = draw_params(dataclasses.replace(SETTINGS, seed=9), 6)
    alone = fit(start, X[:, kept], Y[:, kept], learning_rate=0.5, iterations=30)
    expected = (by_numpy.predict(alone.params, X) > 0.5) == Y[0]
    assert curve.correct[1, 2, 1].tolist() == expected.tolist()


def test_a_way_may_have_seeds_of_its_own() -> None:
    examples, ways = draw_examples(), np.ones((2, 24))
    ways[1, :6] = 0
    own = train_networks(
        examples,
        SETTINGS,
        seeds=np.array([[3, 5], [5, 8]]),
        example_weights=ways,
        keep_probabilities=True,
        block=2,
    )
    alike = train_networks(
        examples,
        SETTINGS,
        seeds=np.array([3, 5, 8]),
        example_weights=ways,
        keep_probabilities=True,
        block=2,
    )
    assert own.train_A2 is not None
    assert alike.train_A2 is not None
    np.testing.assert_allclose(own.train_A2[0, 0], alike.train_A2[0, 0, :2], rtol=1e-5)
    np.testing.assert_allclose(own.train_A2[0, 1], alike.train_A2[0, 1, 1:], rtol=1e-5)
    assert np.abs(alike.train_A2[0, 0, 1] - alike.train_A2[0, 0, 2]).max() > 1e-3


def test_groups_duplicates_and_mirror_images_are_not_parted() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (24, 8, 6, 3), dtype=np.uint8)
    pictures[1] = pictures[3]
    labels = np.arange(24) % 2
    groups = np.array([str(i) for i in range(24)])
    groups[[4, 6, 8]] = "burst"
    data = Dataset(Split(pictures, labels, groups), None, ("a", "b"))
    settings = dataclasses.replace(SETTINGS, mirrored=True, iterations=3)
    curve = learning_curve(data, settings, sizes=SIZES, subsets=6, seeds=1)
    assert curve.labels.tolist() == labels.tolist()
    for together in ([4, 6, 8], [1, 3]):
        assert len(set(curve.groups[together])) == 1
        parted = curve.held_out[..., together]
        assert (parted.all(axis=-1) | ~parted.any(axis=-1)).all()
        assert parted.any()


def test_sizes_are_chosen_on_a_log_scale() -> None:
    labels = np.arange(200) % 2
    assert choose_sizes(None, labels, ("a", "b")) == [10, 15, 22, 33, 49, 72, 108, 160]
    assert choose_sizes([20, 8, 180, 8], labels, ("a", "b")) == [8, 20, 180]


@pytest.mark.parametrize(
    ("labels", "sizes", "error", "found"),
    [
        (np.arange(19) % 2, None, DataError, "a learning curve of 19 training pictures"),
        (np.zeros(30, int), None, DataError, 'has 0 pictures of "b"'),
        (np.arange(30) % 8 == 0, None, DataError, 'has 4 pictures of "b"'),
        (np.arange(30) % 2, [10, 20, 28], UsageError, "a value of sizes is 28"),
        (np.arange(30) % 2, [3, 10, 20], UsageError, "a value of sizes is 3"),
        (np.arange(30) % 2, [10, 20, 20], UsageError, "sizes holds 2 different numbers"),
    ],
)
def test_too_few_pictures_and_sizes_are_refused(
    labels: np.ndarray, sizes: list[int] | None, error: type[Exception], found: str
) -> None:
    with pytest.raises(error, match=found):
        choose_sizes(sizes, labels.astype(int), ("a", "b"))


@pytest.mark.parametrize(
    ("changes", "found"),
    [({"batch": 8}, "batch is 8"), ({"patience": 3}, "patience is 3"), ({"shift": 1}, "shift is")],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, int], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        learning_curve(draw_examples(), dataclasses.replace(SETTINGS, **changes))  # type: ignore[arg-type]


def test_networks_that_overflow_are_refused() -> None:
    settings = dataclasses.replace(SETTINGS, learning_rate=1e30)
    with pytest.raises(UsageError, match="numbers that are not finite"):
        learning_curve(draw_examples(), settings, sizes=SIZES, subsets=3, seeds=2)
