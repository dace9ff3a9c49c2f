"""The levers, the rule that recommends one, the plan, and an improvement that is continued."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError, ModelFileError, UsageError
from jaxnet.evaluation.improvement import plan as plan_module
from jaxnet.evaluation.improvement.held_out import Division, HeldOut, divide
from jaxnet.evaluation.improvement.improve import improve
from jaxnet.evaluation.improvement.judge import Improvement, judge_levers
from jaxnet.evaluation.improvement.levers import Lever, make_levers
from jaxnet.evaluation.improvement.plan import Plan, make_plan
from jaxnet.evaluation.sign_flips import holm, sign_flip_test
from jaxnet.progress import T, Track
from jaxnet.settings import Settings

OWN = Preprocessing(4, 5)


def make_data(m: int = 30, *, grey: bool = False, test: bool = False) -> Dataset:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (m, 4, 5, 3), dtype=np.uint8)
    if grey:
        images = images[..., :1].repeat(3, axis=-1)
    split = Split(images, (np.arange(m) % 3 == 0).astype(int))
    return Dataset(split, split.take(np.arange(6)) if test else None, ("no", "yes"))


def names_of(levers: tuple[Lever, ...]) -> list[str]:
    return [lever.name for lever in levers]


ALL = [
    "as it is",
    "colour",
    "mirrored",
    "shifted",
    "weight decay",
    "early stopping",
    "more units",
    "fewer units",
    "He weights",
    "balanced",
    "pixel scale",
    "ensemble",
    "together",
]


def test_each_lever_changes_one_thing() -> None:
    split, base = make_data().train, Settings(iterations=70)
    levers = make_levers(split, base, OWN, seeds=4)
    assert names_of(levers) == ALL
    for lever in levers[1:-1]:
        changed = [
            (field.name, getattr(own, field.name))
            for usual, own in zip(levers[0].training, lever.training, strict=True)
            for field in dataclasses.fields(own)  # type: ignore[arg-type]
            if getattr(own, field.name) != getattr(usual, field.name) and field.name != "basis"
        ]
        assert len(changed) + lever.ensemble == 1, (lever.name, changed)
    by_name = {lever.name: lever for lever in levers}
    assert by_name["more units"].settings.hidden_units == 32
    assert by_name["fewer units"].settings.hidden_units == 2
    assert by_name["ensemble"].training == by_name["as it is"].training
    together = by_name["together"]
    assert together.ensemble
    assert together.preprocessing.color == "rgb"
    expected = dataclasses.replace(
        base, mirrored=True, weight_decay=0.1, balanced=True, patience=100
    )
    assert together.settings == expected


def test_a_lever_that_changes_nothing_is_left_out() -> None:
    def left_out(settings: Settings, split: Split, **how: int) -> set[str]:
        levers = make_levers(split, settings, OWN, **({"seeds": 4} | how))  # type: ignore[arg-type]
        return set(ALL) - set(names_of(levers))

    split = make_data().train
    assert left_out(Settings(), make_data(grey=True).train) == {"colour"}
    assert left_out(Settings(), split, seeds=1) == {"ensemble"}
    assert left_out(Settings(), split, quick=True) == {"shifted"}
    assert left_out(Settings(), split, stops_early=False) == {"early stopping"}
    assert left_out(Settings(weight_scale="he"), split) == {"He weights"}
    assert left_out(Settings(weight_decay=0.01), split) == {"weight decay"}
    assert left_out(Settings(hidden_units=1, balanced=True, mirrored=True), split) == {
        "fewer units",
        "balanced",
        "mirrored",
    }


@pytest.mark.parametrize("settings", [Settings(patience=3), Settings(shift=3)])
def test_what_is_a_lever_is_not_in_the_setting_as_it_is(settings: Settings) -> None:
    with pytest.raises(UsageError, match="is 3 in the setting to be improved"):
        make_levers(make_data().train, settings, OWN, seeds=1)


LABELS = np.repeat([1, 0], [14, 26])
M = len(LABELS)


def answers(correct: np.ndarray, *, repeats: int = 1, seeds: int = 1) -> HeldOut:
    """Networks that are sure, and right for these pictures: (m,) or (repeats, seeds, m) of bool."""
    correct = np.broadcast_to(correct, (repeats, seeds, M))
    return HeldOut(np.where(correct == (LABELS == 1), 0.9, 0.1), repeats * seeds, 0)


def judge(
    *held_out: HeldOut, units: np.ndarray | None = None, ensemble: bool = False
) -> Improvement:
    levers = [Lever(f"lever {i}", Settings(), OWN) for i in range(len(held_out))]
    levers[-1] = levers[-1]._replace(ensemble=ensemble)
    units = np.arange(M) if units is None else units
    return judge_levers(tuple(levers), list(held_out), LABELS, units, 5)


def test_a_lever_that_is_always_right_is_recommended() -> None:
    result = judge(answers(LABELS == 0), answers(np.ones(M, bool)))
    (lever,) = result.levers
    assert result.base.balanced_accuracy.value == pytest.approx(0.5)
    assert lever.balanced_accuracy.value == pytest.approx(1)
    assert lever.difference.value == pytest.approx(0.5)
    assert lever.recommended
    assert result.best is lever
    assert math.isnan(lever.balanced_accuracy.low)  # where nothing spreads, nothing is certain


def test_no_constant_answer_is_recommended_however_bad_the_setting_is() -> None:
    """Cross-validated networks are often worse than chance; a constant is better than these."""
    bad = np.arange(M) % 5 == 0
    for constant in (LABELS == 0, LABELS == 1):
        result = judge(answers(bad), answers(constant))
        (lever,) = result.levers
        assert lever.balanced_accuracy.value == pytest.approx(0.5)
        assert lever.p_holm < 0.05
        assert lever.difference.low > 0
        assert not lever.recommended
        assert result.best is None


def test_the_interval_of_what_is_recommended_is_above_0() -> None:
    def with_more_right(gained: int) -> Improvement:
        return judge(answers(np.arange(M) < M - gained), answers(np.ones(M, bool)))

    (lever,) = with_more_right(6).levers
    assert lever.p_holm == 2.0**-6
    assert lever.p_constant < 0.001
    assert lever.difference.low < 0
    assert not lever.recommended
    assert with_more_right(9).levers[0].recommended


def test_what_the_majority_answers_counts_as_any_constant() -> None:
    """Its accuracy is 65 %, its balanced accuracy ½."""
    result = judge(answers(np.arange(M) % 2 == 0), answers(LABELS == 0))
    assert result.levers[0].balanced_accuracy.value == pytest.approx(0.5)
    assert result.levers[0].p_constant > 0.4


def test_the_numbers_are_those_of_their_definition() -> None:
    generator = np.random.default_rng(4)
    base, first, second = generator.random((3, 2, 3, M)) < 0.6
    result = judge(*(answers(own, repeats=2, seeds=3) for own in (base, first, second)))
    gains = []
    for own in (first, second):
        gain = np.zeros(M)
        for i in range(M):
            of_class = int((LABELS == LABELS[i]).sum())
            gain[i] = (own[:, :, i].mean() - base[:, :, i].mean()) / (2 * of_class)
        gains.append(gain)
    p = [sign_flip_test(gain) for gain in gains]
    for i, (lever, own) in enumerate(zip(result.levers, (first, second), strict=True)):
        accuracies = [own[:, :, LABELS == label].mean() for label in (0, 1)]
        assert lever.balanced_accuracy.value == pytest.approx(np.mean(accuracies))
        assert lever.difference.value == pytest.approx(gains[i].sum())
        assert lever.p == pytest.approx(p[i], abs=0.01)
        assert lever.p_holm == pytest.approx(holm(np.array(p))[i], abs=0.02)
        right = own.mean(axis=(0, 1))
        above = (right - 0.5) / np.where(LABELS == 1, 14, 26)
        assert lever.p_constant == pytest.approx(sign_flip_test(above, widen=1.5), abs=0.01)
        assert lever.p_constant > sign_flip_test(above) + 0.02
        log_loss = -(right * np.log(0.9) + (1 - right) * np.log(0.1)).mean()
        assert lever.log_loss == pytest.approx(log_loss)
        # Two independent means, widened by √(1 + 5/4).
        spread = [right[LABELS == label].var() / (LABELS == label).sum() for label in (0, 1)]
        error = math.sqrt(sum(spread) / 4 * M / (M - 1)) * 1.5
        half = (lever.balanced_accuracy.high - lever.balanced_accuracy.low) / 2
        assert half == pytest.approx(2.024394 * error)  # t of 38 degrees of freedom


def test_pictures_that_belong_together_are_one_observation() -> None:
    right = np.arange(M) % 4 != 0
    better = np.ones(M, bool)
    alone = judge(answers(right), answers(better))
    pairs = judge(answers(right), answers(better), units=np.arange(M) // 8)
    assert alone.levers[0].p == pytest.approx(2.0**-10)
    assert pairs.levers[0].p == pytest.approx(2.0**-5)
    assert (alone.units, pairs.units) == (M, 5)


def test_an_ensemble_is_right_by_its_mean_probability() -> None:
    probabilities = np.tile(np.array([0.9, 0.4, 0.4])[:, None], (1, 1, M)).reshape(1, 3, M)
    held_out = HeldOut(probabilities, 3, 0)
    result = judge(held_out, held_out, ensemble=True)
    # The mean is 0.567: always class 1; of the three, one says so.
    own = [(LABELS == 1).astype(float), np.where(LABELS == 1, 1 / 3, 2 / 3)]
    weights = 0.5 / np.where(LABELS == 1, 14, 26)
    expected = (weights * (own[0] - own[1])).sum()
    assert result.levers[0].difference.value == pytest.approx(expected, abs=1e-12)
    loss = -np.log(np.where(LABELS == 1, 1.7 / 3, 1.3 / 3)).mean()
    assert result.levers[0].log_loss == pytest.approx(loss)


def test_a_network_without_an_answer_is_not_right() -> None:
    nothing = HeldOut(np.full((1, 1, M), np.nan), 1, 1)
    result = judge(answers(np.ones(M, bool)), nothing)
    assert result.levers[0].balanced_accuracy.value == 0
    assert math.isnan(result.levers[0].log_loss)
    assert not result.levers[0].recommended
    assert result.levers[0].failed == 1


class Fake:
    """Answers without training, which count how often they were asked for."""

    def __init__(self, helps: str = "colour") -> None:
        self.asked: list[str] = []
        self.helps = helps

    def __call__(
        self, data: Dataset, lever: Lever, division: Division, seeds: int, track: Track
    ) -> HeldOut:
        for _ in track(range(3), "training networks", 3):
            pass
        self.asked.append(lever.name)
        labels = data.train.labels
        generator = np.random.default_rng(len(lever.name))
        shape = (len(division.folds), seeds, len(labels))
        right = generator.random(shape) < (0.97 if lever.name == self.helps else 0.4)
        return HeldOut(np.where(right == (labels == 1), 0.8, 0.3), 10, 0)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    monkeypatch.setattr("jaxnet.evaluation.improvement.improve.predict_held_out", fake)
    return fake


def test_the_lever_that_helps_is_recommended_and_networks_are_shared(fake: Fake) -> None:
    result = improve(make_data(), repeats=2, seeds=3)
    assert fake.asked == [name for name in ALL if name != "ensemble"]
    assert [measured.lever.name for measured in result.levers] == ALL[1:]
    assert result.best is not None
    assert result.best.lever.name == "colour"
    assert (result.pictures, result.folds, result.repeats, result.seeds) == (30, 5, 2, 3)


def test_the_test_set_takes_no_part(fake: Fake) -> None:
    def numbers(data: Dataset) -> list[object]:
        result = improve(data, repeats=1, seeds=2)
        return [(m.lever, m.difference, m.p) for m in (result.base, *result.levers)]

    assert numbers(make_data(test=True)) == numbers(make_data())


def test_a_stopped_improvement_measures_only_what_is_left(fake: Fake, tmp_path: Path) -> None:
    def stop(items: Iterable[T], _: str, total: float | None) -> Iterator[T]:
        for item in items:
            if len(fake.asked) == 3:
                raise KeyboardInterrupt
            yield item

    data, how = make_data(), {"repeats": 1, "seeds": 2}
    with pytest.raises(KeyboardInterrupt):
        improve(data, folder=tmp_path, track=stop, **how)  # type: ignore[arg-type]
    plans: list[Plan] = []
    first = fake.asked[:]
    assert first == ALL[:3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "_time", lambda *_: (0.0, 0.0))
        resumed = improve(data, folder=tmp_path, show_plan=plans.append, **how)  # type: ignore[arg-type]
    assert fake.asked[len(first) :] == [name for name in ALL[3:] if name != "ensemble"]
    assert names_of(plans[0].levers) == fake.asked[len(first) :]
    again = improve(data, folder=tmp_path, **how)  # type: ignore[arg-type]
    assert len(fake.asked) == 12
    whole = improve(data, **how)  # type: ignore[arg-type]
    assert repr([*resumed.levers]) == repr([*again.levers]) == repr([*whole.levers])


def test_levers_of_other_pictures_or_settings_are_refused(fake: Fake, tmp_path: Path) -> None:
    data = make_data()
    improve(data, repeats=1, seeds=2, folder=tmp_path)
    others: list[Callable[[], Improvement]] = [
        lambda: improve(make_data(33), repeats=1, seeds=2, folder=tmp_path),
        lambda: improve(data, Settings(seed=1), repeats=1, seeds=2, folder=tmp_path),
        lambda: improve(data, repeats=2, seeds=2, folder=tmp_path),
        lambda: improve(data, repeats=1, seeds=1, folder=tmp_path),
        lambda: improve(data, repeats=1, seeds=2, folds=3, folder=tmp_path),
    ]
    for other in others:
        with pytest.raises(UsageError, match="was measured on other pictures"):
            other()
    (tmp_path / "levers" / "colour.h5").write_bytes(b"damaged")
    with pytest.raises(ModelFileError, match=r"colour\.h5"):
        improve(data, repeats=1, seeds=2, folder=tmp_path)


def test_bad_input_is_told_before_anything_is_trained(fake: Fake) -> None:
    with pytest.raises(DataError, match='11 folds, but "yes" has 10 pictures'):
        improve(make_data(), folds=11)
    with pytest.raises(UsageError, match="seeds is 0"):
        improve(make_data(), seeds=0)
    with pytest.raises(UsageError, match="repeats is 0"):
        improve(make_data(), repeats=0)
    with pytest.raises(UsageError, match="optimizer of many networks is adam"):
        improve(make_data(), Settings(optimizer="adam"))
    with pytest.raises(UsageError, match="data is of type"):
        improve("pets")  # type: ignore[arg-type]
    assert not fake.asked


def test_the_plan_counts_and_times(monkeypatch: pytest.MonkeyPatch) -> None:
    def time(_: Dataset, lever: Lever, *__: object) -> tuple[float, float]:
        return (3.0, 0.5) if lever.settings.shift else (1.0, 0.01)

    monkeypatch.setattr(plan_module, "_time", time)
    data, settings = make_data(), Settings(iterations=7)
    levers = {lever.name: lever for lever in make_levers(data.train, settings, OWN, seeds=2)}
    division = divide(data, 5, 2, 0, ())
    some = [levers[name] for name in ("as it is", "mirrored", "more units")]
    plan = make_plan(data, tuple(some), division, 2)
    assert (plan.networks, plan.iterations) == (20, 7)
    # Twice the pictures take four times as long, four times the units as well.
    assert plan.seconds == pytest.approx(3 * 1.0 + 20 * 7 * 0.01 * (1 + 4 + 4))
    plan = make_plan(data, (levers["as it is"], levers["shifted"]), division, 2)
    assert plan.seconds == pytest.approx(1 + 3 + 20 * 7 * (0.01 + 0.5))
    assert make_plan(data, (), division, 2).seconds == 0
