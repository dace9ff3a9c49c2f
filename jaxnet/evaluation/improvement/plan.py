"""How many networks an improvement trains, and how long that takes on this machine."""

import dataclasses
import time
from typing import NamedTuple

from jaxnet.data.dataset import Dataset
from jaxnet.evaluation.improvement.held_out import Division, predict_held_out
from jaxnet.evaluation.improvement.levers import Lever
from jaxnet.progress import silent
from jaxnet.runs.train import train

# So many updates are timed, once they are compiled.
TIMED = 300


class Plan(NamedTuple):
    """What is going to be trained.

    Attributes:
        levers: The settings that are still to be measured.
        networks: How many networks of each are trained.
        iterations: How many updates each network makes, if it does not stop early.
        seconds: How long all that is estimated to take on this machine.
    """

    levers: tuple[Lever, ...]
    networks: int
    iterations: int
    seconds: float


def make_plan(data: Dataset, levers: tuple[Lever, ...], division: Division, seeds: int) -> Plan:
    """Count the networks of levers, and estimate their time from a short training of each kind."""
    each = len(division.ways) * seeds
    if not levers:
        return Plan(levers, each, 0, 0.0)
    iterations = levers[0].settings.for_pictures(len(division.units)).iterations
    seconds = 0.0
    for shifted in (False, True):
        alike = [lever for lever in levers if bool(lever.settings.shift) == shifted]
        if alike:
            first = alike[0]
            compiling, update = _time(data, first, division, seeds)
            updates = sum(_arithmetic(lever) / _arithmetic(first) for lever in alike) * iterations
            seconds += len(alike) * compiling + updates * each * update
    return Plan(levers, each, iterations, seconds)


def _arithmetic(lever: Lever) -> float:
    """Compute how much arithmetic an update takes, up to a factor for levers of one kind."""
    settings = lever.settings
    columns = lever.preprocessing.n_x if settings.shift else settings.copies
    return float(settings.hidden_units * settings.copies * columns)


def _time(data: Dataset, lever: Lever, division: Division, seeds: int) -> tuple[float, float]:
    """Train shortly, twice: the seconds that the first takes more, and those of an update."""
    settings = lever.settings
    short = dataclasses.replace(settings, iterations=TIMED, epochs=None, patience=None)
    only = dataclasses.replace(data, test=None, validation=None)
    took, networks = [], 1
    for _ in range(2):
        began = time.perf_counter()
        if settings.shift:
            train(only, short, lever.preprocessing, track=silent)
        else:
            tried = lever._replace(settings=short)
            networks = predict_held_out(only, tried, division, seeds).networks
        took.append(time.perf_counter() - began)
    return max(took[0] - took[1], 0.0), took[1] / (TIMED * networks)
