"""What would help: every lever measured on the same folds, against the setting as it is."""

from collections.abc import Callable, Iterable
from pathlib import Path

from jaxnet.data.dataset import Dataset, check_dataset
from jaxnet.data.duplicates import Pair, find_pairs
from jaxnet.data.preprocessing import Preprocessing, preprocessing_for
from jaxnet.devices import find_devices
from jaxnet.errors import require_integer, require_kind
from jaxnet.evaluation.improvement.held_out import HeldOut, divide, predict_held_out
from jaxnet.evaluation.improvement.judge import Improvement, judge_levers
from jaxnet.evaluation.improvement.kept import digest_measurement, find_lever, keep_lever
from jaxnet.evaluation.improvement.levers import Lever, Training, make_levers
from jaxnet.evaluation.improvement.plan import Plan, make_plan
from jaxnet.io.files import expand
from jaxnet.many.sweep import check_many
from jaxnet.progress import T, Track, automatic, counting
from jaxnet.settings import Settings

FOLDS, REPEATS, SEEDS = 5, 2, 4


def improve(
    data: Dataset,
    settings: Settings | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    folds: int = FOLDS,
    repeats: int = REPEATS,
    seeds: int = SEEDS,
    quick: bool = False,
    folder: Path | None = None,
    pairs: Iterable[Pair] | None = None,
    show_plan: Callable[[Plan], object] | None = None,
    track: Track = automatic,
) -> Improvement:
    """Measure by cross-validation which changes of a setting help on these pictures.

    Only the training set is used, so that the test set still tests what is chosen here. Every
    setting is trained on the same folds, which part no group and no duplicates; mirror images, and
    the pictures that stop a training, are taken from the training part of each fold. `judge_levers`
    says what is recommended, and when.

    Args:
        data: The pictures.
        settings: The setting as it is; by default the article's.
        preprocessing: How pictures become columns; by default grey, in their own size.
        folds: Into how many folds the pictures are divided.
        repeats: How often.
        seeds: How many networks of each setting are trained for each fold, from `settings.seed` on.
        quick: Whether to leave out shifted pictures, which cannot be trained in their span.
        folder: Where each measured lever is kept, and found if the same is measured again.
        pairs: The duplicates, as `find_pairs` returns them; by default they are searched.
        show_plan: Called before the training with what is going to be trained, and how long that is
            estimated to take.
        track: Shows the progress, network by network.

    Raises:
        DataError: If the data cannot be used, or a class has fewer pictures, or groups of pictures
            that belong together, than there are folds.
        UsageError: If an argument is out of its range, the setting cannot be trained so, or the
            folder has levers of another improvement.
    """
    require_kind("data", data, Dataset)
    check_dataset(data)
    settings = settings or Settings()
    preprocessing = preprocessing or preprocessing_for(data)
    require_kind("settings", settings, Settings)
    require_kind("preprocessing", preprocessing, Preprocessing)
    require_integer("seeds", seeds, 1, 10_000)
    check_many(settings, seeds, validates=True)
    find_devices()
    settings = settings.for_examples(len(data.train.labels))
    pairs = find_pairs(data, track=track) if pairs is None else pairs
    division = divide(data, folds, repeats, settings.seed, tuple(pairs))
    levers = make_levers(
        data.train,
        settings,
        preprocessing,
        seeds=seeds,
        stops_early=division.watched is not None,
        quick=quick,
    )
    folder = None if folder is None else expand(folder)
    trainings: dict[Training, Lever] = {}
    for lever in levers:  # an ensemble has the networks of the setting as it is
        trainings.setdefault(lever.training, lever)
    known: dict[Training, HeldOut] = {}
    digests = {
        training: digest_measurement(data, lever, division, seeds)
        for training, lever in trainings.items()
    }
    if folder is not None:
        for training, lever in trainings.items():
            kept = find_lever(folder, lever, digests[training])
            if kept is not None:
                known[training] = kept
    left = tuple(lever for training, lever in trainings.items() if training not in known)
    if show_plan is not None:
        show_plan(make_plan(data, left, division, seeds))
    each = len(division.ways) * seeds
    with counting(track, "training networks", len(left) * each) as reach:
        for number, lever in enumerate(left):
            within = _count_within(reach, number * each, each)
            answers = predict_held_out(data, lever, division, seeds, within)
            known[lever.training] = answers
            if folder is not None:
                keep_lever(folder, lever, answers, digests[lever.training])
            reach((number + 1) * each)
    held_out = [known[lever.training] for lever in levers]
    return judge_levers(levers, held_out, data.train.labels, division.units, folds)


def _count_within(reach: Callable[[int], None], before: int, networks: int) -> Track:
    """Make a `Track` that counts the networks of one lever; the last when it is kept."""

    def track(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        for i, item in enumerate(sequence):
            reach(before + int(networks * i / (total or 1)))
            yield item

    return track
