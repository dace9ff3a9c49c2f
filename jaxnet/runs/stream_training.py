"""Training on pictures that stay in their files: the same updates, on batches that are read."""

import dataclasses
import functools
import time
from typing import Any

import jax
import numpy as np
from jax import lax

from jaxnet.activations import Activation
from jaxnet.data.columns import rows_of_bytes
from jaxnet.data.stored import StoredPictures
from jaxnet.data.stream import read_in_order, read_pools
from jaxnet.descent import (
    CostAndGradients,
    Curves,
    Part,
    Progress,
    Reached,
    TrainState,
    descend,
    pixel_cost_and_gradients,
    updates_program,
    with_extra_args,
)
from jaxnet.devices import at_precision
from jaxnet.errors import UsageError
from jaxnet.examples import Examples
from jaxnet.network import Params, as_decay
from jaxnet.outcomes import Outcome, any_active, entropy_of_labels, judge_one
from jaxnet.processes import in_any, require_alike
from jaxnet.progress import Track, counting
from jaxnet.runs.checkpoint import Checkpoint, keep_state, restore_state
from jaxnet.runs.run import STOPPED, UNFINISHED, Hook, Run, versions
from jaxnet.settings import Settings
from jaxnet.sharing import Sharing, own_part, share_out
from jaxnet.shifts import Shifts, check_shifts, make_shifts, shift_rows, start_drawing
from jaxnet.training import objective_interval
from jaxnet.validation import Validation, judge_validation

# Pictures of the validation set that are read at a time.
BLOCK = 256


def require_streamable(settings: Settings) -> None:
    """Raise a UsageError unless a network can be trained on a stream with these settings."""
    if settings.batch is None:
        raise UsageError(
            "the pictures are read in blocks, and batch is not given",
            "mini-batches, since a step that sees all pictures needs all of them in memory",
            "give the number of pictures of a batch: batch=256",
        )
    if settings.mirrored:
        raise UsageError(
            "the pictures are read in blocks, and mirrored is set",
            "the pictures as they are in their file",
            "leave mirrored out, or load the pictures into memory",
        )
    if settings.patience is not None:
        raise UsageError(
            f"the pictures are read in blocks, and patience is {settings.patience}",
            "a number of iterations or epochs: on a stream the validation cost stops no training",
            "leave patience out, or load the pictures into memory",
        )
    if settings.basis == "span":
        raise UsageError(
            "the pictures are read in blocks, and the basis is span",
            "the pixels: the products of all pictures with each other do not fit into memory",
            "leave the basis out",
        )


def descend_on_stream(
    run: Run,
    pictures: StoredPictures,
    validation: StoredPictures | None,
    hook: Hook | None,
    track: Track,
) -> Run:
    """Train a run to its end, or until its hook stops it, which is called after every pool.

    Args:
        run: A run whose descent is a `Checkpoint` in pixels.
        pictures: The training set.
        validation: Pictures whose cost and accuracy are recorded before each epoch; or None.
        hook: As in `train`.
        track: As in `train`.
    """
    settings, checkpoint = run.settings, run.descent
    assert settings is not None
    assert isinstance(checkpoint, Checkpoint)
    began, made = time.perf_counter(), len(checkpoint.costs)
    progress = counting(track, "training", settings.iterations - made)
    with at_precision(settings.precision), progress as reach:
        reached_so_far = (checkpoint.state, checkpoint.memory, checkpoint.costs)
        require_alike(
            pictures=pictures.sha256,
            settings=settings,
            versions=versions(),
            parameters=reached_so_far,
        )
        sharing = share_out()
        start = Progress(sharing.copy(restore_on_stream(checkpoint, settings)))

        def judged(state: TrainState, costs: np.ndarray) -> Outcome:
            return judge_on_stream(run, pictures, sharing.take_back(state), costs)

        parts = _parts(run, pictures, sharing)
        costs, iterations = checkpoint.costs, settings.iterations
        watched = _Watched(run, validation, iterations)
        watched.look(made, checkpoint.params)
        known = _known_objectives(checkpoint) if settings.weight_decay else None
        for reached in descend(parts, start, costs, Curves(known), iterations, judged):
            state = sharing.take_back(reached.progress.state)
            watched.look(reached.made, state.params)
            kept = keep_state(state.params, state, reached.costs[: reached.made])
            run = dataclasses.replace(
                run,
                descent=kept._replace(curves=watched.curves(reached)),
                costs=reached.costs,
                outcome=reached.outcome or UNFINISHED,
                seconds=time.perf_counter() - began,
            )
            reach(len(run.costs) - made)
            if in_any(hook is not None and bool(hook(run))) and reached.outcome is None:
                return dataclasses.replace(run, outcome=STOPPED)
    return run


class _Watched:
    """The cost and the accuracy on validation pictures in files, before each epoch."""

    def __init__(self, run: Run, pictures: StoredPictures | None, iterations: int) -> None:
        """Continue the curves that the run has."""
        assert run.settings is not None
        self._run, self._pictures = run, pictures
        self._curves: list[np.ndarray] = []
        if pictures is None:
            return
        for known in run.descent.curves[1:]:
            curve = np.full(iterations, np.nan, run.settings.precision)
            if known is not None:
                curve[: len(known)] = known
            self._curves.append(curve)

    def look(self, made: int, params: Params) -> None:
        """Record what the parameters after so many updates give, if an epoch begins there."""
        ended = not self._curves or made >= len(self._curves[0])
        if self._pictures is None or ended or made % self._run.epoch:
            return
        for curve, value in zip(
            self._curves, _judge(self._run, self._pictures, params), strict=True
        ):
            curve[made] = value

    def curves(self, reached: Reached) -> Curves:
        """Return what is recorded of the updates that were made."""
        own = (curve[: reached.made].copy() for curve in self._curves)
        return Curves(reached.curves.objectives, *own)


def _judge(run: Run, pictures: StoredPictures, params: Params) -> tuple[float, float]:
    """Compute the cost and the accuracy of pictures that are read in blocks."""
    assert run.settings is not None
    sums = np.zeros(2)
    for split in read_in_order(pictures, BLOCK):
        examples = run.preprocessing.examples(split, run.settings.precision)
        means = _judge_block(params, examples, hidden=run.hidden)
        sums += len(split.labels) * np.array([float(mean) for mean in means])
    cost, accuracy = (sums / len(pictures)).tolist()
    return cost, accuracy


@functools.partial(jax.jit, static_argnames="hidden")
def _judge_block(
    params: Params, examples: Examples, *, hidden: Activation
) -> tuple[jax.Array, jax.Array]:
    return judge_validation(params, Validation(*examples, None), hidden)


def _known_objectives(checkpoint: Checkpoint) -> np.ndarray:
    known: np.ndarray | None = checkpoint.curves.objectives
    return np.full_like(checkpoint.costs, np.nan) if known is None else known


def start_on_stream(params: Params, settings: Settings) -> Checkpoint:
    """Start a descent in pixels."""
    with at_precision(settings.precision):
        return keep_state(params, _start(params, settings), np.empty(0, settings.precision))


def restore_on_stream(checkpoint: Checkpoint, settings: Settings) -> TrainState:
    """Put the arrays of a checkpoint back into the state of its optimizer.

    Raises:
        ModelFileError: If they do not fit the settings.
    """
    return restore_state(checkpoint, _start(checkpoint.params, settings))


def _start(params: Params, settings: Settings) -> TrainState:
    return TrainState(params, settings.make_optimizer().init(params))


def _parts(run: Run, pictures: StoredPictures, sharing: Sharing) -> Any:
    """Yield the updates of each pool."""
    settings, made, seen = run.settings, len(run.descent.costs), run.preprocessing
    assert settings is not None
    assert settings.batch is not None
    shifts = make_shifts(settings.shift, seen.height, seen.width)
    if shifts is not None:
        check_shifts(shifts, seen.n_x)
    program = functools.partial(
        updates_program(small_products=False),
        rule=with_extra_args(settings.make_optimizer()).update,
        cost_and_gradients=sharing.cost_and_gradients(
            _stored_cost_and_gradients(seen.color, seen.pixel_scale, settings.precision, shifts),
            settings.batch,
        ),
        hidden=run.hidden,
        shifts=shifts,
    )
    class_weights = _class_weights(pictures) if settings.balanced else None
    decay = as_decay(settings.weight_decay, settings.precision)
    left = settings.iterations - made
    for pool in read_pools(pictures, settings.batch, settings.seed, made, left, sharing.parts):
        batches = sharing.divide_batches(pool.batches, len(pool.labels))
        examples = sharing.place(
            pool.images.reshape(len(pool.images), -1),
            pool.labels[None].astype(settings.precision),
            None if class_weights is None else class_weights[pool.labels][None],
            batched=True,
        )
        drawing = None
        if shifts is not None:
            drawing = sharing.copy(start_drawing(settings.seed, made, pool.numbers))
        interval = None if decay is None else objective_interval(made, run.epoch)
        arrays = (*examples, decay, None, drawing, interval)
        yield Part(made, pool.made, functools.partial(_run_pool, program, batches, arrays))
        made += pool.made


def _run_pool(program: Any, batches: Any, arrays: tuple[Any, ...], state: Any, count: int) -> Any:
    return program(state, count, batches, *arrays)


def _class_weights(pictures: StoredPictures) -> np.ndarray:
    """Weigh the classes as `balancing_weights` does, (2,)."""
    positive = np.mean(pictures.labels)
    return np.array([0.5 / (1 - positive), 0.5 / positive])


@functools.cache
def _stored_cost_and_gradients(
    color: str, pixel_scale: str, dtype: str, shifts: Shifts | None
) -> CostAndGradients:
    """Make the function that computes the cost of pictures (n, bytes) and its gradients."""

    def cost_and_gradients(
        params: Params,
        pictures: jax.Array,
        Y: jax.Array,
        hidden: Activation,
        weights: jax.Array | None,
        indices: jax.Array,
        offsets: jax.Array | None = None,
    ) -> tuple[jax.Array, Params]:
        # One picture after the other: XLA gathers bytes one by one, but copies a whole row.
        rows = lax.map(lambda i: lax.dynamic_index_in_dim(pictures, i, keepdims=False), indices)
        rows = rows_of_bytes(rows.reshape(len(indices), -1, 3), color, pixel_scale, dtype)
        if shifts is not None and offsets is not None:
            rows = shift_rows(rows, offsets, shifts)
        return pixel_cost_and_gradients(params, rows.T, Y[:, indices], hidden, weights)

    return cost_and_gradients


def judge_on_stream(
    run: Run, pictures: StoredPictures, state: TrainState, costs: np.ndarray
) -> Outcome:
    """Determine the outcome of a run as `jaxnet.outcome` does, with the pictures read in blocks."""
    balanced = run.settings is not None and run.settings.balanced
    entropy = entropy_of_labels(pictures.labels, balanced=balanced)
    params = state.params
    return judge_one(params, costs, lambda: _any_active(run, pictures, params), entropy, run.epoch)


def _any_active(run: Run, pictures: StoredPictures, params: Params) -> bool:
    """Compute whether a hidden unit is active on any picture; each process reads a part of them.

    A process reads until it finds one.
    """
    assert run.settings is not None
    convert, hidden = run.preprocessing.columns, run.hidden
    own = read_in_order(pictures, BLOCK, own_part(len(pictures)))
    found = (
        any_active(params, convert(split.images, run.settings.precision), hidden) for split in own
    )
    return in_any(any(found))
