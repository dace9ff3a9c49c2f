"""Thousands of networks in one program: activations × learning rates × weight scales × seeds."""

import dataclasses
import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import examples_of
from jaxnet.defaults import LARGEST_SEED
from jaxnet.devices import at_precision, find_devices
from jaxnet.display import shown
from jaxnet.errors import UsageError
from jaxnet.examples import Examples
from jaxnet.many.engine import GPU_BLOCK, Variant, train_networks
from jaxnet.many.grid import Grid
from jaxnet.processes import gather_objects, own_share, process_count, require_alike
from jaxnet.progress import Track, automatic
from jaxnet.settings import Settings

# At most how many networks are trained between two results: some seconds on two cores. Other
# devices are given as many as fill them.
NETWORKS_A_PART = 512


@shown
class Sweep(NamedTuple):
    """The results of a sweep; every array is (activations, rates, weight scales, seeds).

    Attributes:
        grid: The values along the axes.
        last_costs: The cost before the last update.
        outcomes: The outcome, as `jaxnet.outcome` defines it; "" of a network not trained yet.
        train_accuracies: On the training pictures; NaN where a cost or parameter is not finite.
        test_accuracies: On the test pictures, likewise; None without test pictures.
        costs: (…, iterations), the cost before each update, if asked for.
    """

    grid: Grid
    last_costs: np.ndarray
    outcomes: np.ndarray
    train_accuracies: np.ndarray
    test_accuracies: np.ndarray | None
    costs: np.ndarray | None = None

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The results by name, those that exist."""
        named = self._asdict()
        del named["grid"]
        return {name: array for name, array in named.items() if array is not None}


class Part(NamedTuple):
    """A part of a sweep: one activation, some rates, one weight scale, some seeds.

    Attributes:
        place: Its slices along the four axes.
        arrays: Its results by the names of `Sweep`, each of the shape of `place`.
    """

    place: tuple[slice, slice, slice, slice]
    arrays: dict[str, np.ndarray]


def empty_sweep(grid: Grid, *, has_test: bool) -> Sweep:
    """Make the results of a sweep of which no network is trained yet."""

    def blank() -> np.ndarray:
        return np.full(grid.shape, np.nan)

    outcomes = np.full(grid.shape, "", dtype="U10")
    return Sweep(grid, blank(), outcomes, blank(), blank() if has_test else None)


def sweep(
    data: Dataset | Examples,
    grid: Grid | None = None,
    settings: Settings | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    test: Examples | None = None,
    keep_costs: bool = False,
    block: int | None = None,
    track: Track = automatic,
) -> Sweep:
    """Train a network for every activation, learning rate, weight scale and seed.

    Several processes share out the networks; each returns the results of all.

    Args:
        data: The pictures, or examples.
        grid: The values along the axes; by default those of `Grid()`.
        settings: What the networks share: everything but the axes of the grid. The seeds start at
            `settings.seed`.
        preprocessing: How the pictures of a data set become columns.
        test: Test examples, beside examples.
        keep_costs: Whether to return the cost of every iteration.
        block: How many networks a device trains at a time; by default 64 on a CPU, 4,096 elsewhere.
        track: Shows the progress.

    Raises:
        DataError: If the data cannot be used.
        UsageError: If the settings cannot be trained so.
    """
    grid, settings = grid or Grid(), settings or Settings()
    train, test = examples_of(data, settings, preprocessing, test)
    result = empty_sweep(grid, has_test=test is not None)
    require_alike(examples=(train, test), grid=grid, settings=settings)
    parts = sweep_in_parts(train, result, settings, test=test, keep_costs=keep_costs, block=block)
    count = len(own_share(_places(grid, block)))
    own = []
    for part in track(parts, "training networks", count):
        result = add_part(result, part)
        if process_count() > 1:
            own.append(part)
    for part in itertools.chain(*gather_objects(own)):
        result = add_part(result, part)
    return result


def sweep_in_parts(
    train: Examples,
    result: Sweep,
    settings: Settings,
    *,
    test: Examples | None = None,
    keep_costs: bool = False,
    block: int | None = None,
) -> Iterator[Part]:
    """Train those networks of a sweep that are not trained yet, and yield part by part.

    Of several processes each trains its share, and they do not wait for each other.

    Args:
        train: The training examples, which `examples_of` has checked.
        result: What is known so far, as `empty_sweep` or a file gives it.
        settings: What the networks share.
        test: The test examples.
        keep_costs: Whether to return the cost of every iteration.
        block: How many networks a device trains at a time.

    Raises:
        UsageError: If the settings cannot be trained so.
    """
    check_many(settings, result.grid.seeds)
    grid = result.grid
    left = [place for place in _places(grid, block) if (result.outcomes[place] == "").any()]
    for place in own_share(left):
        a, rates, s, seeds = place
        alike = dataclasses.replace(settings, activation=grid.activations[a.start])
        with at_precision(settings.precision):
            ends = train_networks(
                train,
                alike,
                seeds=settings.seed + np.arange(seeds.start, seeds.stop),
                test=test,
                variants=[
                    Variant(rate, scale, settings.weight_decay)
                    for rate, scale in itertools.product(
                        grid.learning_rates[rates], grid.weight_scales[s]
                    )
                ],
                keep_costs=keep_costs,
                block=block,
            )
        named = {name: getattr(ends, name) for name in Sweep._fields[1:]}
        if test is None:
            named["test_accuracies"] = None
        # (rates × scales, 1, seeds, …) as (activations, rates, scales, seeds, …)
        shape = tuple(slice_.stop - slice_.start for slice_ in place)
        arrays = {
            name: array.reshape(*shape, *array.shape[3:])
            for name, array in named.items()
            if array is not None
        }
        yield Part(place, arrays)


def add_part(result: Sweep, part: Part) -> Sweep:
    """Enter a part into the results, in place; return them."""
    for name, array in part.arrays.items():
        if getattr(result, name) is None:  # the costs, whose shape is known now
            blank = np.full((*result.grid.shape, *array.shape[4:]), np.nan, array.dtype)
            result = result._replace(**{name: blank})  # type: ignore[arg-type]
        getattr(result, name)[part.place] = array
    return result


def check_many(settings: Settings, seeds: int, *, validates: bool = False) -> None:
    """Raise a UsageError unless many networks can be trained in one program with these settings.

    Args:
        settings: What the networks share.
        seeds: How many seeds there are from that of the settings.
        validates: Whether the networks have validation pictures, so that they may stop early.
    """
    if settings.optimizer != "sgd":
        raise UsageError(
            f"the optimizer of many networks is {settings.optimizer}",
            "sgd, whose networks are trained in one program, in the span of the pictures",
            'use optimizer="sgd", or train them one by one',
        )
    if settings.shift:
        raise UsageError(
            f"shift is {settings.shift} for many networks",
            "no shift, since they are trained in the span of the pictures, in which a picture that "
            "is moved does not lie",
            "leave shift out, or train them one by one",
        )
    if settings.patience is not None and not validates:
        raise UsageError(
            f"patience is {settings.patience} for many networks",
            "no patience, since these networks have no validation pictures",
            "leave patience out, or train them one by one",
        )
    if settings.seed + seeds - 1 > LARGEST_SEED:
        raise UsageError(
            f"the {seeds} seeds from {settings.seed} go up to {settings.seed + seeds - 1}",
            f"seeds up to {LARGEST_SEED}",
            "start from a smaller seed",
        )


def _places(grid: Grid, block: int | None) -> list[tuple[slice, slice, slice, slice]]:
    """List the places of the parts that are trained one by one."""
    devices = find_devices()
    most = NETWORKS_A_PART
    if devices[0].platform != "cpu":
        most = max(most, (block or GPU_BLOCK) * len(devices))
    most = min(most, math.ceil(grid.networks / process_count()))  # something for each process
    sizes = (1, most, 1, max(1, most // len(grid.learning_rates)))
    pieces = (
        [slice(first, min(first + size, length)) for first in range(0, length, size)]
        for length, size in zip(grid.shape, sizes, strict=True)
    )
    return list(itertools.product(*pieces))
