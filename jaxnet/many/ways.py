"""Many settings, each trained in many ways to weight the examples, in as few programs as possible.

Settings that differ only in their learning rate, weight scale or weight decay share a program.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxnet.devices import at_precision
from jaxnet.errors import UsageError
from jaxnet.examples import Examples
from jaxnet.many.engine import Ends, Variant, train_networks
from jaxnet.many.sweep import check_many
from jaxnet.processes import gather_objects, join_shares, own_share
from jaxnet.progress import T, Track, counting, silent
from jaxnet.settings import Settings

# Probabilities that are kept: 2 GB in float32.
MOST_NUMBERS = 500_000_000

# In what the networks of a program may differ; the basis changes nothing but the time.
FREE = ("learning_rate", "weight_scale", "weight_decay", "basis")


class Trained(NamedTuple):
    """The networks of all settings; every array is (ways, settings, seeds, …).

    Attributes:
        probabilities: (…, m), of class 1, of every example; NaN from a network whose numbers are
            not finite.
        outcomes: The outcome of each training.
        best_iterations: The number of updates before the validation cost was lowest; −1 if it never
            was finite, or the setting has no patience.
    """

    probabilities: np.ndarray
    outcomes: np.ndarray
    best_iterations: np.ndarray


def group_settings(settings: Sequence[Settings]) -> list[list[int]]:
    """Group settings by the programs that train them: lists of their numbers."""
    programs: dict[tuple[object, ...], list[int]] = {}
    for number, one in enumerate(settings):
        fixed = {k: v for k, v in dataclasses.asdict(one).items() if k not in FREE}
        programs.setdefault(tuple(fixed.values()), []).append(number)
    return list(programs.values())


def check_settings(settings: Sequence[Settings], seeds: int, *, validates: bool) -> None:
    """Raise a UsageError unless all of these settings can be trained side by side."""
    for one in settings:
        check_many(one, seeds, validates=validates)
    precisions = sorted({one.precision for one in settings})
    if len(precisions) > 1:
        raise UsageError(
            f"the settings have the precisions {' and '.join(precisions)}",
            "one precision for all",
            "train those of each precision on their own",
        )


def train_ways(
    examples: Examples,
    settings: Sequence[Settings],
    example_weights: np.ndarray,
    *,
    validation_weights: np.ndarray | None = None,
    seeds: int = 1,
    track: Track = silent,
) -> Trained:
    """Train every setting in every way to weight the examples, from every seed.

    Several processes share out the ways; each returns the networks of all.

    Args:
        examples: X, Y and weights, which are checked; of balanced settings without weights, since
            these weight the classes of each way.
        settings: As `check_settings` asks for. Their seeds are the first ones.
        example_weights: (ways, m), 0 of an example that is left out.
        validation_weights: (ways, m), of the examples that settings with patience hold out from
            their training to know when to stop; settings without are trained on these, too.
        seeds: How many.
        track: Shows the progress, block by block.

    Raises:
        UsageError: If a setting cannot be trained so, or the result would not fit into memory.
    """
    ways, m = example_weights.shape
    _check_size(len(settings) * ways * seeds, m)
    own = np.array(own_share(range(ways)), int)
    parts: dict[str, np.ndarray] = {}
    programs = group_settings(settings)
    networks = len(own) * len(settings) * seeds
    held = None if validation_weights is None else validation_weights[own]
    if len(own):
        with counting(track, "training networks", networks) as reach:
            done = 0
            for numbers in programs:
                count = len(numbers) * len(own) * seeds
                alike = [settings[number] for number in numbers]
                within = _track_within(reach, done, count)
                ends = _train_program(examples, alike, example_weights[own], held, seeds, within)
                _enter(parts, numbers, ends, len(settings))
                done += count
    return Trained(**join_shares(gather_objects(parts)))


def _track_within(reach: Callable[[int], None], done: int, count: int) -> Track:
    """Make the track of the blocks of one program, which has so many of all networks."""

    def track(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        for i, block in enumerate(sequence, 1):
            yield block
            reach(done + round(count * i / (total or 1)))

    return track


def _train_program(
    examples: Examples,
    alike: Sequence[Settings],
    weights: np.ndarray,
    validation_weights: np.ndarray | None,
    seeds: int,
    track: Track,
) -> Ends:
    shared = alike[0]
    held = None
    if shared.patience is not None:
        assert validation_weights is not None
        weights = np.where(validation_weights > 0, 0, weights)
        held = validation_weights
    if shared.balanced:
        weights = balance(weights, np.asarray(examples.Y)[0])
    with at_precision(shared.precision):
        return train_networks(
            examples,
            shared,
            seeds=shared.seed + np.arange(seeds),
            variants=[
                Variant(one.learning_rate, one.weight_scale, one.weight_decay) for one in alike
            ],
            example_weights=weights,
            validation_weights=held,
            keep_probabilities=True,
            track=track,
        )


def balance(weights: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weight the examples of each way so that both classes count alike in it.

    Args:
        weights: (ways, m).
        labels: (m,) of 0 and 1.
    """
    positive = (weights @ labels / weights.sum(axis=1))[:, None]
    return weights * np.where(labels == 1, 0.5 / positive, 0.5 / (1 - positive))


def _enter(parts: dict[str, np.ndarray], numbers: list[int], ends: Ends, settings: int) -> None:
    """Enter the networks of a program, (its settings, ways, seeds, …), at the places of these."""
    assert ends.train_A2 is not None
    best, finite = ends.best_iterations, ends.outcomes != "not finite"
    results = {
        "probabilities": np.where(finite[..., None], ends.train_A2, np.nan),
        "outcomes": ends.outcomes,
        "best_iterations": np.full(ends.outcomes.shape, -1) if best is None else best,
    }
    for name, array in results.items():
        by_way = np.swapaxes(array, 0, 1)
        if name not in parts:
            shape = (len(by_way), settings, *by_way.shape[2:])
            parts[name] = np.empty(shape, by_way.dtype)
        parts[name][:, numbers] = by_way


def _check_size(networks: int, m: int) -> None:
    if networks * m > MOST_NUMBERS:
        raise UsageError(
            f"{networks:,} networks would give {networks * m:,} probabilities, one for each of "
            f"{m:,} pictures",
            f"{MOST_NUMBERS:,} at most",
            "use fewer settings, repeats, folds, seeds or pictures",
        )
