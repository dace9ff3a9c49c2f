"""Training from data to a run, and its continuation.

`train` does what `jaxnet train` does, without files; `resume` continues a run as if it had never
stopped.
"""

import dataclasses
import time

import numpy as np

from jaxnet.data.dataset import Dataset, check_dataset
from jaxnet.data.preprocessing import Preprocessing, preprocessing_for
from jaxnet.data.stored import StoredPictures, require_like
from jaxnet.data.stream import require_size
from jaxnet.data.to_examples import training_split
from jaxnet.devices import at_precision
from jaxnet.epochs import count_iterations, true_batch
from jaxnet.errors import DataError, ModelFileError, UsageError, require_integer, require_kind
from jaxnet.examples import Examples
from jaxnet.io.attributes import Value
from jaxnet.network import Params
from jaxnet.processes import in_any, require_alike
from jaxnet.progress import Track, automatic, counting
from jaxnet.runs.checkpoint import checkpoint_of, continue_from
from jaxnet.runs.run import (
    STOPPED,
    UNFINISHED,
    Hook,
    Run,
    draw_params,
    first_params,
    require_same_data,
    versions,
)
from jaxnet.runs.stream_training import (
    descend_on_stream,
    judge_on_stream,
    require_streamable,
    restore_on_stream,
    start_on_stream,
)
from jaxnet.runs.test_curve import Looks
from jaxnet.settings import Settings
from jaxnet.sharing import own_part
from jaxnet.shifts import make_shifts
from jaxnet.training import Descent, choose_basis, fit_in_chunks, judge_descent, start_descent

# About as much arithmetic as a laptop does in a tenth of a second, so that a progress bar moves.
CHUNK_FLOPS = 5e9


def train(
    data: Dataset | StoredPictures,
    settings: Settings | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    validation: StoredPictures | None = None,
    hook: Hook | None = None,
    chunk: int | None = None,
    command: str = "",
    track: Track = automatic,
) -> Run:
    """Train the network on the training set of `data`.

    Args:
        data: The pictures; or those that stay in their files, as `open_pictures` returns them, of
            which mini-batches are read.
        settings: Network and descent; by default the article's.
        preprocessing: How pictures become columns; by default grey, in their own size.
        validation: Of pictures that stay in their files, the validation set, whose cost and
            accuracy are recorded before each epoch. A `Dataset` has its own.
        hook: Called after each chunk of iterations with the run so far: for checkpoints and
            interruption. If it returns True, the run stops there.
        chunk: At most so many iterations between two calls of the hook, which are about a tenth
            of a second by default.
        command: The command line, if one asked for the run; it is kept with the run.
        track: Shows the progress, iteration by iteration.

    Returns:
        The run. No outcome raises an error; see `Run.outcome`.

    Raises:
        DataError: If the pictures cannot be used.
        UsageError: If an argument is of the wrong type or out of its range, or patience is set and
            there is no validation set.

    If the data have a validation set, its cost and accuracy are recorded before each update. With
    patience it decides when to stop and which weights are kept. The test set decides nothing.
    """
    settings = Settings() if settings is None else settings
    require_kind("settings", settings, Settings)
    _check_stored_validation(data, validation)
    if isinstance(data, StoredPictures):
        preprocessing = Preprocessing(*data.size) if preprocessing is None else preprocessing
        require_kind("preprocessing", preprocessing, Preprocessing)
        run = _start_stored(data, settings, preprocessing, command)
        return descend_on_stream(run, data, validation, hook, track)
    check_dataset(data)
    preprocessing = preprocessing_for(data) if preprocessing is None else preprocessing
    require_kind("preprocessing", preprocessing, Preprocessing)
    _require_validation(data, settings)
    settings = settings.for_pictures(len(data.train.labels))
    params = draw_params(settings, preprocessing.n_x)
    start, examples = _start(data, settings, preprocessing, params, command)
    return _descend(start, examples, hook, chunk, track)


def resume(
    run: Run,
    data: Dataset | StoredPictures,
    *,
    iterations: int | None = None,
    epochs: int | None = None,
    validation: StoredPictures | None = None,
    hook: Hook | None = None,
    chunk: int | None = None,
    command: str = "",
    track: Track = automatic,
) -> Run:
    """Continue a run on its own data; it ends with the bits of one that was never stopped.

    Args:
        run: From `load_run`, or from `train`.
        data: The pictures that it was trained on; where they lie does not matter.
        iterations: The number of updates in all; by default the run's own. With as many as it has
            made already, or a patience that has come to its end, only its outcome is determined.
        epochs: How often it sees every picture in all, in place of iterations.
        validation: As in `train`.
        hook: As in `train`.
        chunk: As in `train`.
        command: The command line, which is added to the run's own.
        track: As in `train`.

    Raises:
        UsageError: If the pictures, their labels or their split are others, the run cannot be
            continued, or has made more iterations.
        ModelFileError: If the file of the run contradicts itself.
    """
    require_kind("run", run, Run)
    _check_stored_validation(data, validation)
    settings = run.settings
    checkpoint = checkpoint_of(run.descent)
    if settings is None or checkpoint.basis is None:
        raise UsageError(
            "the run has a network without its settings or its optimizer's state",
            "a run that train returned or Run.save wrote",
            "train a new network from its parameters: fit(model.params, …)",
        )
    require_same_data(run, data)
    _require_consistent(run, settings)
    made = len(checkpoint.costs)
    total = settings.iterations
    if iterations is not None or epochs is not None:
        m = _count(data) * settings.copies
        total = count_iterations(m, settings.batch, iterations, epochs)
    if total < made:
        raise UsageError(
            f"the run has made {made:,} iterations",
            f"at least as many in all, not {total:,}",
            f"give iterations={2 * made}, or leave iterations out to judge the run as it is",
        )
    if run.members and total > made:
        raise UsageError(
            f"the run is an ensemble of {len(run.members)} networks, of which it has the training "
            "of one only",
            "an ensemble as it is, or the run of one network",
            f"train a new one with more iterations: train_ensemble(data, …), iterations={total}",
        )
    settings = dataclasses.replace(settings, iterations=total)
    # Each once, since an attribute of a file has an end.
    commands = [*str(run.origin.get("command", "")).splitlines(), command]
    kept = "\n".join(dict.fromkeys(filter(None, commands)))
    if isinstance(data, StoredPictures):
        run = dataclasses.replace(run, settings=settings, origin=run.origin | {"command": kept})
        return _resume_stored(run, data, validation, hook, track)
    with at_precision(settings.precision):
        examples, start = _start_descent(data, settings, run.preprocessing, run.model.params)
        continued = dataclasses.replace(
            run,
            descent=continue_from(checkpoint, start),
            costs=checkpoint.costs,
            settings=settings,
            data_source=data.data_source or run.data_source,
            origin=run.origin | {"command": kept},
            examples=examples if start.m is None else None,
            validation=_validation_examples(data, settings, run.preprocessing),
            looks=run.looks._replace(test=data.test, snapshots=(), known=run.test_curve),
        )
        if total > made and not continued.stopped_early:
            return _descend(continued, examples, hook, chunk, track)
        assert isinstance(continued.descent, Descent)
        ended = judge_descent(
            dataclasses.replace(continued.descent, best=None),
            examples.Y,
            run.hidden,
            costs=checkpoint.costs,
            weights=examples.weights,
            epoch=run.epoch,
        )
        return dataclasses.replace(continued, outcome=ended)


def train_as(run: Run, data: Dataset, *, iterations: int, hook: Hook | None, track: Track) -> Run:
    """Train as a run was trained, from its own initial weights, on its own data.

    Raises:
        UsageError: If the pictures are others, or the run does not say how it was trained.
    """
    params = first_params(run)
    assert run.settings is not None
    require_same_data(run, data)
    settings = dataclasses.replace(run.settings, iterations=iterations)
    start, examples = _start(data, settings, run.preprocessing, params, "")
    return _descend(start, examples, hook, None, track)


def _require_consistent(run: Run, settings: Settings) -> None:
    """Raise a ModelFileError if the network of a run is not that of its settings."""
    n_h, dtype = len(run.model.params["W1"]), str(run.model.params["W1"].dtype)
    for name, ours, stated in (
        ("hidden_units", n_h, settings.hidden_units),
        ("precision", dtype, settings.precision),
    ):
        if ours != stated:
            raise ModelFileError(
                f"the settings of the run have {name} = {stated}, but its network has {ours}",
                "the settings as they were saved",
                f"restore the original {name}, or start a new run",
            )


def _require_validation(data: Dataset, settings: Settings) -> None:
    """Raise an error if patience is set, and the validation set is missing or has one class."""
    if settings.patience is None:
        return
    if data.validation is None:
        raise UsageError(
            f"patience is {settings.patience}, and the data have no validation set",
            "pictures that are not trained on, whose cost says when to stop",
            "hold some out: load_dataset(…, validation=0.2), or leave patience out",
        )
    if len(np.unique(data.validation.labels)) < 2:
        raise DataError(
            f'every validation picture is "{data.classes[data.validation.labels[0]]}"',
            "pictures of both classes in the validation set",
            "hold out a larger share, or leave patience out",
        )


def _count(data: Dataset | StoredPictures) -> int:
    return len(data if isinstance(data, StoredPictures) else data.train.labels)


def _check_stored_validation(
    data: Dataset | StoredPictures, validation: StoredPictures | None
) -> None:
    if validation is None:
        return
    require_kind("validation", validation, StoredPictures)
    if not isinstance(data, StoredPictures):
        raise UsageError(
            "validation is given with a data set in memory",
            "its own validation set, or pictures that stay in their files as the data",
            "leave validation out: dataclasses.replace(data, validation=Split(…))",
        )
    require_like(data, validation)


def _start_stored(
    pictures: StoredPictures, settings: Settings, preprocessing: Preprocessing, command: str
) -> Run:
    """Make a run on pictures that stay in their files, of which no iteration is made yet."""
    require_streamable(settings)
    require_size(preprocessing, pictures)
    settings = dataclasses.replace(settings.for_pictures(len(pictures)), basis="pixels")
    checkpoint = start_on_stream(draw_params(settings, preprocessing.n_x), settings)
    hashes = {"stream_sha256": pictures.sha256}
    origin = _origin(pictures.source, hashes, len(pictures), command)
    return Run(
        preprocessing,
        pictures.classes,
        settings.hidden,
        checkpoint,
        checkpoint.costs,
        UNFINISHED,
        settings,
        pictures.data_source,
        origin,
    )


def _resume_stored(
    run: Run,
    pictures: StoredPictures,
    validation: StoredPictures | None,
    hook: Hook | None,
    track: Track,
) -> Run:
    """Continue a run on pictures that stay in their files."""
    settings = run.settings
    assert settings is not None
    require_streamable(settings)
    checkpoint = checkpoint_of(run.descent)
    run = dataclasses.replace(run, descent=checkpoint, costs=checkpoint.costs)
    if settings.iterations > len(checkpoint.costs):
        return descend_on_stream(run, pictures, validation, hook, track)
    with at_precision(settings.precision):
        state = restore_on_stream(checkpoint, settings)
        ended = judge_on_stream(run, pictures, state, run.costs)
    return dataclasses.replace(run, outcome=ended)


def _start(
    data: Dataset, settings: Settings, preprocessing: Preprocessing, params: Params, command: str
) -> tuple[Run, Examples]:
    """Make a run of which no iteration is made yet; return it and what it is trained on."""
    hashes = {"sha256": data.sha256, "train_sha256": data.train_sha256}
    origin = _origin(data.source, hashes, len(data.train.labels), command)
    with at_precision(settings.precision):
        examples, descent = _start_descent(data, settings, preprocessing, params)
        validation = _validation_examples(data, settings, preprocessing)
    run = Run(
        preprocessing,
        data.classes,
        settings.hidden,
        descent,
        descent.costs,
        UNFINISHED,
        dataclasses.replace(settings, basis="pixels" if descent.span is None else "span"),
        data.data_source,
        origin,
        examples if descent.m is None else None,
        validation=validation,
        looks=Looks(data.test),
    )
    return run, examples


def _origin(source: str, hashes: dict[str, str], m: int, command: str) -> dict[str, Value]:
    return {"source": source, **hashes, "train_pictures": m, **versions(), "command": command}


def _start_descent(
    data: Dataset, settings: Settings, preprocessing: Preprocessing, params: Params
) -> tuple[Examples, Descent]:
    """Make the examples and start a descent; in pixels each of several processes has a part of X.

    Y and the weights are whole everywhere.
    """
    optimizer, split = settings.make_optimizer(), training_split(data, settings)
    m = len(split.labels)
    basis = choose_basis(settings.basis, optimizer, preprocessing.n_x, m)
    part = own_part(m) if basis == "pixels" else None
    if part is not None:
        split = split._replace(images=split.images[part])
    examples = preprocessing.examples(split, settings.precision, balanced=settings.balanced)
    decay = settings.weight_decay
    descent = start_descent(params, examples.X, optimizer, basis, weight_decay=decay)
    return examples, descent if part is None else dataclasses.replace(descent, m=m)


def _validation_examples(
    data: Dataset, settings: Settings, preprocessing: Preprocessing
) -> Examples | None:
    """Make the validation set as columns, its classes weighted as those of the training set."""
    split = data.validation
    if split is None:
        return None
    balanced = settings.balanced and len(np.unique(split.labels)) == 2
    return preprocessing.examples(split, settings.precision, balanced=balanced)


def _descend(
    run: Run, examples: Examples, hook: Hook | None, chunk: int | None, track: Track
) -> Run:
    """Train a run to its end, or until its hook stops it."""
    settings = run.settings
    assert settings is not None
    assert isinstance(run.descent, Descent)
    n_x, m = len(examples.X), examples.Y.size
    size = (run.preprocessing.height, run.preprocessing.width)
    seen = true_batch(m, settings.batch) or m
    flops = 4.0 * settings.hidden_units * n_x * seen  # of an iteration, or more
    usual = int(min(max(CHUNK_FLOPS / flops, 1), 100))
    if chunk is not None:
        require_integer("chunk", chunk, 1)
        usual = min(usual, chunk)
    pictures = run.origin["train_sha256"]
    require_alike(pictures=pictures, settings=settings, versions=versions())
    began, made, total = time.perf_counter(), len(run.costs), settings.iterations
    start = run.descent
    run = dataclasses.replace(run, looks=run.looks.keep(start, total, last=False))
    progress = counting(track, "training", settings.iterations - made)
    with at_precision(settings.precision), progress as reach:
        fits = fit_in_chunks(
            start,
            examples.Y,
            run.hidden,
            iterations=settings.iterations,
            batch=settings.batch,
            seed=settings.seed,
            weights=examples.weights,
            validation=run.validation,
            patience=settings.patience,
            shifts=make_shifts(settings.shift, *size),
            chunk=usual,
        )
        for fit in fits:
            ended = fit.outcome or UNFINISHED
            run = dataclasses.replace(
                run,
                descent=fit.descent,
                costs=fit.costs,
                outcome=ended,
                looks=run.looks.keep(fit.descent, total, last=fit.outcome is not None),
                seconds=time.perf_counter() - began,
            )
            reach(len(run.costs) - made)
            stop = hook is not None and bool(hook(run))
            if settings.basis == "pixels":
                stop = in_any(stop)  # or the others would wait for the one that has stopped
            if stop and fit.outcome is None:
                return dataclasses.replace(run, outcome=STOPPED)
    return run
