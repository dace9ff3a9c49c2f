"""A run: a training with its results, in memory and in its folder."""

import dataclasses
import functools
import importlib.metadata
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet import __version__
from jaxnet.activations import Activation
from jaxnet.data.all_pictures import Data
from jaxnet.data.dataset import Dataset, check_dataset
from jaxnet.data.load import load_searched
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.data.stored import StoredPictures, open_splits
from jaxnet.data.to_examples import training_split
from jaxnet.data.too_large import open_if_large
from jaxnet.devices import PickledOnHost, at_precision, find_devices
from jaxnet.display import report, shown
from jaxnet.epochs import steps_an_epoch
from jaxnet.errors import UsageError, require_integer, require_kind
from jaxnet.examples import Examples
from jaxnet.io.attributes import Value
from jaxnet.io.names import MODEL_NAME
from jaxnet.minibatches import epoch_costs
from jaxnet.network import Params, init_params
from jaxnet.normals import default_generator, make_key
from jaxnet.progress import Track, automatic, silent
from jaxnet.runs.checkpoint import Checkpoint, checkpoint_of
from jaxnet.runs.folder import claim_folder
from jaxnet.runs.model import Model
from jaxnet.runs.model_file import (
    Stored,
    read_model_file,
    require_loadable,
    write_model_file,
)
from jaxnet.runs.page import Page
from jaxnet.runs.test_curve import Looks, TestCurve
from jaxnet.settings import Settings
from jaxnet.training import Descent

if TYPE_CHECKING:
    from jaxnet.data.duplicates import Pair

# What is written beside the origin of a run, and follows from its results.
OF_RESULT = ("outcome", "best_iteration", "stopped_early")

# Outcomes of a run that has not ended: still training, or stopped by its hook.
UNFINISHED, STOPPED = "unfinished", "stopped"

NO_LOOKS = Looks()


@shown
@dataclasses.dataclass(frozen=True, eq=False)
class Run(PickledOnHost):
    """A training and its results so far.

    Attributes:
        preprocessing: How pictures become columns.
        classes: The names of class 0 and of class 1.
        hidden: The activation of the hidden units.
        descent: The state reached: a `Descent`, or the `Checkpoint` that a file keeps of it.
        costs: The cost before each update, (iterations,). Of a run that ended "not finite" the last
            may not be finite; `descent` is then a step or two back, where all was finite.
        outcome: An `Outcome`; "unfinished" while it is trained, "stopped" if its hook stopped it.
        settings: How it is trained; None if a model file does not say.
        data_source: Which data it is trained on; None if that is not known.
        origin: Description, number and SHA-256 of the training pictures, device, versions, random
            generator, command.
        examples: The training set as columns; None of a run that was loaded from a file, or that
            several processes trained in pixels, of which each had a part.
        validation: The validation set as columns, likewise; None without one.
        members: The parameters of all networks of an ensemble, whose mean probability the model
            predicts; empty where it is no ensemble. All else is that of one of them.
        looks: What the test cost of some iterations is computed of, when it is asked for.
        seconds: How long the last `train` or `resume` took to descend, compilation included.
    """

    preprocessing: Preprocessing
    classes: tuple[str, str]
    hidden: Activation
    descent: Descent | Checkpoint
    costs: np.ndarray
    outcome: str
    settings: Settings | None
    data_source: DataSource | None
    origin: dict[str, Value]
    examples: Examples | None = None
    validation: Examples | None = None
    members: tuple[Params, ...] = ()
    looks: Looks = NO_LOOKS
    seconds: float = 0.0

    @functools.cached_property
    def model(self) -> Model:
        """The network as it is now; or the ensemble."""
        how = (self.preprocessing, self.classes, self.hidden, self.members)
        return Model(self.descent.params, *how)

    @property
    def epoch(self) -> int:
        """The number of iterations in which every training picture is seen once."""
        batch = None if self.settings is None else self.settings.batch
        return 1 if batch is None else steps_an_epoch(self._m, batch)

    @property
    def epoch_costs(self) -> np.ndarray:
        """The mean cost of the batches of every complete epoch, (epochs,)."""
        batch = None if self.settings is None else self.settings.batch
        return self.costs if batch is None else epoch_costs(self.costs, self._m, batch)

    @property
    def objectives(self) -> np.ndarray | None:
        """With weight decay, the cost with its penalty before each update, as of a `Fit`.

        Of a run that ended "not finite" this curve and those of validation end with the descent.
        """
        curve: np.ndarray | None = self.descent.curves.objectives
        return curve

    @property
    def validation_costs(self) -> np.ndarray | None:
        """The cost on the validation set before each update; None without one."""
        curve: np.ndarray | None = self.descent.curves.validation_costs
        return curve

    @property
    def validation_accuracies(self) -> np.ndarray | None:
        """The share of the validation set that is predicted correctly, likewise."""
        curve: np.ndarray | None = self.descent.curves.validation_accuracies
        return curve

    @functools.cached_property
    def test_curve(self) -> TestCurve | None:
        """The cost on the test set in some iterations, to be looked at; it decides nothing.

        None of a run without a test set. A run that is loaded has that of the end it was saved at.
        """
        how = (self.descent, self.preprocessing, self.hidden)
        balanced = self.settings is not None and self.settings.balanced
        return self.looks.measure(*how, balanced=balanced)

    @property
    def best_iteration(self) -> int | None:
        """After how many updates the weights of the model were reached that patience has kept."""
        patient = self.settings is not None and self.settings.patience is not None
        costs = self.validation_costs
        if not patient or costs is None or not np.isfinite(costs).any():
            return None
        return int(np.nanargmin(costs))

    @property
    def stopped_early(self) -> bool:
        """Whether its patience came to its end."""
        best = self.best_iteration
        if best is None or self.settings is None or self.settings.patience is None:
            return False
        return len(self.descent.costs) - 1 - best >= self.settings.patience

    @property
    def _m(self) -> int:
        copies = 1 if self.settings is None else self.settings.copies
        return int(self.origin["train_pictures"]) * copies

    def trained_on(self, data: Data) -> bool | None:
        """Compare a training set with the run's by their SHA-256; None if the run has none.

        A run has that of pictures in memory or that of pictures in files.
        """
        in_memory = isinstance(data, Dataset)
        ours = self.origin.get("train_sha256" if in_memory else "stream_sha256")
        if ours is None:
            return None
        return ours == (data.train_sha256 if isinstance(data, Dataset) else data["train"].sha256)

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write the run into a folder of its own, so that `load_run` reads it; return the folder.

        Args:
            folder: A new or an empty folder.
            force: Whether to take a folder that holds something, such as an earlier state of this
                run.

        Raises:
            UsageError: If the folder holds something or cannot be written to, or the model could
                not be loaded again.
        """
        require_loadable(self.model)  # before a folder is claimed for it
        folder = claim_folder(Path(folder), force=force)
        origin = self.origin | {"outcome": self.outcome}
        if self.best_iteration is not None:
            origin |= {"best_iteration": self.best_iteration, "stopped_early": self.stopped_early}
        checkpoint = checkpoint_of(self.descent)
        # Of a training that goes on the curve is not computed yet.
        curve = self.looks.known if self.outcome == UNFINISHED else self.test_curve
        stored = Stored(self.model, checkpoint, self.settings, self.data_source, origin, curve)
        write_model_file(folder / MODEL_NAME, stored)
        return folder

    def show(self, data: Data | None = None, *, pictures: bool = True, height: int = 720) -> Page:
        """Make the interactive page of the run, which trains its network anew in the browser.

        Where it ends a cell of a notebook, it is shown there. Its methods `save` and `open` write
        it into a file, and open it in the browser. It is one file of some megabytes, which requests
        nothing; a notebook that is saved holds it.

        Args:
            data: The pictures, or what `open_splits` returns; by default those that the run was
                trained on, loaded anew.
            pictures: Whether the page carries the pictures themselves. Share it only if you may
                share them.
            height: In the notebook, in pixels.

        Raises:
            DataError: If the pictures cannot be used.
            UsageError: If it is not known which pictures are meant or how the initial weights were
                drawn, or the page does not have the activation.
        """
        require_integer("height", height, 100, 10_000)
        data = load_data_for(self) if data is None else data
        require_kind("data", data, Dataset, Mapping)
        return Page(report("page.build").make_page(self, data, pictures=pictures), height)

    def __getstate__(self) -> dict[str, Any]:
        """Keep a checkpoint, since an optimizer's functions cannot be pickled."""
        looks = Looks(known=self.test_curve)
        kept = dataclasses.replace(self, descent=checkpoint_of(self.descent), looks=looks)
        return kept._arrays_on_host()


# Called with the run so far after each part of a training; returning True stops it there.
Hook = Callable[[Run], bool | None]


def load_run(path: str | Path, activations: Mapping[str, Activation] | None = None) -> Run:
    """Read a run from its folder, or from a model file; the file is opened and verified once.

    Args:
        path: The folder of the run, or the file.
        activations: Activations of one's own, by their names.

    Raises:
        ModelFileError: If it is missing, no model file, of a newer format, or contradicts itself.
    """
    model, checkpoint, settings, data_source, origin, curve = read_model_file(path, activations)
    return Run(
        model.preprocessing,
        model.classes,
        model.hidden,
        checkpoint,
        checkpoint.costs,
        str(origin.get("outcome", UNFINISHED)),
        settings,
        data_source,
        {name: value for name, value in origin.items() if name not in OF_RESULT},
        members=model.members,
        looks=Looks(known=curve),
    )


def load_data_for(run: Run, *, track: Track = automatic, **options: Any) -> Dataset:
    """Load the data of a run, or others to try its network on.

    The positive class of the network is theirs, too, if they have a class of this name.

    Args:
        run: The run.
        track: Shows the progress.
        options: Fields of `DataSource` by name, in place of the run's own. With `data` none of the
            run's own is kept.

    Raises:
        DataError: If the pictures cannot be read or used.
        UsageError: If neither the run nor the options say which data are meant.
    """
    return load_searched_for(run, track=track, **options)[0]


def load_searched_for(
    run: Run, *, track: Track = silent, **options: Any
) -> tuple[Dataset, "tuple[Pair, ...] | None"]:
    """Load the data of a run, as `load_data_for` does, with what is known of their duplicates.

    Returns:
        The data set; and its duplicates if they were searched, otherwise None.
    """
    source = source_for(run, **options)
    if source.positive is not None:
        return load_searched(source, track=track)
    try:
        return load_searched(source, positive=run.classes[1], track=track)
    except UsageError:  # they have no class of this name, or more than two
        return load_searched(source, track=track)


def source_for(run: Run, **options: Any) -> DataSource:
    """Return the options of the data of a run, or of others, as `load_data_for` takes them.

    Raises:
        UsageError: If neither the run nor the options name them.
    """
    if "data" in options:
        return DataSource(**options)
    if run.data_source is None:
        raise UsageError(
            "the run does not record on which data it was trained",
            "a run whose data were loaded by load_dataset, or the name of the data",
            "name them: data=…",
        )
    return dataclasses.replace(run.data_source, **options)


def open_if_large_for(run: Run, **options: Any) -> dict[str, StoredPictures] | None:
    """Open the data of a run, or others, where they are too many to be loaded, else None.

    Those of a run that was trained on a stream are not loaded, however few they are.

    Args:
        run: The run.
        options: As for `load_data_for`.
    """
    source = source_for(run, **options)
    if "stream_sha256" in run.origin and not options:
        return open_splits(source.data)
    return open_if_large(source)


def columns_of(run: Run, data: Dataset | None = None) -> Examples:
    """Return the training set of a run as columns, made of its data if the run has none.

    Raises:
        UsageError: If neither has it, or the pictures are others.
    """
    if run.examples is not None:
        return run.examples
    if data is None or run.settings is None:
        raise UsageError(
            "a run that was loaded from a file, or trained by several processes, has no pictures",
            "the run together with its data",
            "give the Dataset: load_dataset(run.data_source)",
        )
    require_same_data(run, data)
    with at_precision(run.settings.precision):
        return run.preprocessing.examples(
            training_split(data, run.settings),
            run.settings.precision,
            balanced=run.settings.balanced,
        )


def draw_params(settings: Settings, n_x: int, generator: str | None = None) -> Params:
    """Draw the initial parameters of a training.

    Args:
        settings: Of these, the seed, the hidden units, the weight scale and the precision.
        n_x: The number of features.
        generator: The name of the random generator; by default the one that JAX is set to.
    """
    find_devices()
    with at_precision(settings.precision):
        return init_params(
            make_key(settings.seed, generator),
            n_x,
            settings.hidden_units,
            weight_scale=settings.weight_scale,
            dtype=settings.precision,
        )


def first_params(run: Run) -> Params:
    """Draw the parameters that a run started from, with its own random generator.

    Raises:
        UsageError: If the run does not say how they were drawn.
    """
    if run.settings is None:
        raise UsageError(
            "the run does not record the settings that determine its initial weights",
            "a run, as train returns it and Run.save writes it",
            "train a run",
        )
    generator = str(run.origin.get("prng", "threefry2x32"))
    return draw_params(run.settings, run.preprocessing.n_x, generator)


def versions() -> dict[str, Value]:
    """List the versions, the device and the random generator that a result is computed with."""
    packages = ("jax", "jaxlib", "optax", "numpy")
    return {
        "device": find_devices()[0].device_kind,
        "prng": default_generator(),
        "python": platform.python_version(),
        "jaxnet": __version__,
        **{name: _installed_version(name) for name in packages},
    }


# Kept, since reading the metadata of the packages takes as long as a short training.
_installed_version = functools.cache(importlib.metadata.version)


def require_same_data(run: Run, data: Dataset | StoredPictures) -> None:
    """Raise a UsageError unless pictures, labels, classes and splits are those of the run."""
    if isinstance(data, StoredPictures):
        _require_same_stream(run, data)
        return
    check_dataset(data)
    if run.origin.get("sha256") == data.sha256:
        return
    if "stream_sha256" in run.origin:
        raise UsageError(
            "the run was trained on pictures that stay in their files",
            "the same files, read in blocks",
            "give open_pictures(…) as the data",
        )
    part = "test pictures or labels" if run.trained_on(data) else "pictures or labels"
    raise UsageError(
        f"{data.source} holds other {part} than the run was trained on "
        f"(SHA-256 {data.sha256[:12]}…, the run's {str(run.origin.get('sha256'))[:12]}…)",
        "the same pictures, in the same order, to the last byte",
        "restore the original pictures, or start a new run",
    )


def _require_same_stream(run: Run, pictures: StoredPictures) -> None:
    ours = run.origin.get("stream_sha256")
    if ours == pictures.sha256:
        return
    if ours is None:
        raise UsageError(
            "the run was trained on pictures in memory, and these are read in blocks",
            "the same pictures in memory",
            "give load_dataset(…) as the data",
        )
    raise UsageError(
        f"{pictures.source} holds other pictures or labels than the run was trained on "
        f"(SHA-256 {pictures.sha256[:12]}…, the run's {str(ours)[:12]}…)",
        "the same pictures, in the same files and order",
        "restore the original files, or start a new run",
    )
