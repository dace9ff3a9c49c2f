"""The options of the commands, which are made from the fields of the library's dataclasses."""

import dataclasses
import inspect
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import typer
from conftest import Result

from jaxnet.commands.main import app, with_new_names
from jaxnet.commands.options import AUTO, with_options
from jaxnet.commands.translation import as_options
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.many.candidates import Candidates
from jaxnet.many.grid import Grid
from jaxnet.settings import Settings

Run = Callable[..., Result]

COMMANDS = {str(command.name): command.callback for command in app.registered_commands}


class Option(NamedTuple):
    """An option as typer is given it: its type, what is said about it, and its default."""

    kind: Any
    info: Any
    default: Any

    @property
    def names(self) -> tuple[str, ...]:
        """Its names, if they are given; typer keeps the first one as its default."""
        given = (self.info.default, *self.info.param_decls)
        return tuple(name for name in given if isinstance(name, str))


def options_of(command: str) -> dict[str, Option]:
    callback = COMMANDS[command]
    assert callback is not None
    options = {}
    for name, parameter in inspect.signature(callback, eval_str=True).parameters.items():
        kind, info = get_args(parameter.annotation)
        if isinstance(info, typer.models.OptionInfo):
            options[name] = Option(kind, info, parameter.default)
    return options


def fields_of(kind: type) -> dict[str, "dataclasses.Field[Any]"]:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    return {name: field for name, field in fields.items() if name not in ("height", "width")}


MANY = ("optimizer", "patience", "shift", "basis")  # what many networks cannot have


@pytest.mark.parametrize(
    ("command", "kind", "panel", "left_out"),
    [
        ("train", DataSource, "Data", ()),
        ("train", Preprocessing, "Data", ()),
        ("train", Settings, "Network and training", ()),
        ("sweep", DataSource, "Data", ()),
        ("sweep", Preprocessing, "Data", ()),
        (
            "sweep",
            Settings,
            "Network and training",
            ("activation", "weight_scale", "learning_rate", *MANY),
        ),
        ("sweep", Grid, "Network and training", ()),
        ("leave-one-out", DataSource, "Data", ("exclude_leaks",)),
        ("leave-one-out", Preprocessing, "Data", ()),
        ("leave-one-out", Settings, "Network and training", MANY),
        ("cross-validate", DataSource, "Data", ("exclude_leaks",)),
        ("cross-validate", Preprocessing, "Data", ()),
        (
            "cross-validate",
            Settings,
            "Network and training",
            (
                *("activation", "weight_scale", "learning_rate", "weight_decay", "hidden_units"),
                *("optimizer", "basis"),
            ),
        ),
        ("cross-validate", Candidates, "Network and training", ()),
        ("learning-curve", DataSource, "Data", ("exclude_leaks",)),
        ("learning-curve", Settings, "Network and training", ("batch", *MANY)),
        ("improve", DataSource, "Data", ("exclude_leaks", "validation")),
        ("improve", Preprocessing, "Data", ()),
        ("improve", Settings, "Network and training", MANY),
        ("data", DataSource, "Data", ("data",)),
        ("data", Preprocessing, "Data", ("pixel_scale",)),
        *((command, DataSource, "Data", ()) for command in ("evaluate", "check", "page", "repeat")),
    ],
)
def test_every_field_is_an_option(
    command: str, kind: type, panel: str, left_out: tuple[str, ...]
) -> None:
    options = options_of(command)
    of_run = command in ("evaluate", "check", "page", "repeat")
    for name, field in fields_of(kind).items():
        if name in left_out:
            assert name not in options or command == "data", name
            continue
        kind_of_option, info, typed_default = options[name]
        assert options[name].names == ("--" + name.replace("_", "-"),)
        assert info.rich_help_panel == panel
        assert typed_default is None, "a default stands in the dataclass alone"
        default = "the run's" if of_run else field.metadata["shown"] or field.default
        is_flag = field.default is False and not of_run
        shown = "" if is_flag else f" \\[default: {default}]"
        takes_auto = command == "train" and name == "learning_rate"
        auto = f" {AUTO[name]}" if takes_auto else ""
        assert info.help == field.metadata["help"] + auto + shown
        limits, choices = field.metadata, field.metadata["choices"]
        typed, _ = get_args(kind_of_option)  # the other is None
        if takes_auto:
            assert info.metavar == "NUMBER|auto"
            assert (info.parser("auto"), info.parser("1e-2")) == ("auto", 0.01)
        elif name == "weight_scale":
            assert info.metavar == "NUMBER|he"
            assert (info.parser("he"), info.parser("1e-2")) == ("he", 0.01)
        elif choices:
            assert get_args(typed) == choices
        elif typed in (int, float):
            assert (info.min or -math.inf, info.max or math.inf) == pytest.approx(
                (limits["least"] or -math.inf, limits["greatest"])
            )
            assert info.min == limits["least"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_other_option_has_a_panel(command: str) -> None:
    """All but --help, and what says what a command does with a picture or a file."""
    alone = {
        name for name, option in options_of(command).items() if option.info.rich_help_panel is None
    }
    expected = {
        "evaluate": {"threshold"},
        "predict": {"threshold", "skip_bad", "recursive"},
        "export": {"kind"},
        "import": {"framework"},
        "tutor": {"part", "seconds", "memory"},
    }
    assert alone == expected.get(command, set())


def test_the_help_shows_panels_options_and_defaults(
    jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    for command in COMMANDS:
        text = jaxnet(command, "--help").out
        for option in options_of(command).values():
            assert all(name in text for name in option.names)
    text = jaxnet("train", "--help").out
    panels = [text.index(f"─ {name} ─") for name in ("Data", "Network and training", "Output")]
    assert panels == sorted(panels)
    for name, default in (
        ("--data", "sketches"),
        ("--hidden-units", "8"),
        ("--weight-scale", "0.01"),
        ("--learning-rate", "sgd: 0.0075; adam: 0.001"),
        ("--momentum", "0.0"),
        ("--iterations", "2500"),
        ("--pixel-scale", "symmetric"),
        ("--precision", "float32"),
        ("--seeds", "1"),
        ("--out", "the next free one of runs/001, …"),
    ):
        after = text[re.search(rf"{name}\s", text).start() :]  # type: ignore[union-attr]
        first = re.search(r"\[default: ([^\]]*)\]", after)
        assert first is not None
        assert " ".join(first[1].split()) == default, name


def test_a_command_gets_what_was_typed_and_nothing_else() -> None:
    got: list[Any] = []

    @with_options("optimizer", source=DataSource, settings=Settings)
    def command(source: dict[str, Any], settings: dict[str, Any], other: int = 3) -> None:
        got.append((source, settings, other))

    small = typer.Typer()
    small.command()(command)
    run = typer.main.get_command(small)
    run([], standalone_mode=False)
    typed = ["--seed", "0", "--skip-bad", "--weight-scale", "0.5", "--other", "4"]
    run(typed, standalone_mode=False)
    run(["--weight-scale", "he", "--basis", "pixels"], standalone_mode=False)
    assert got == [
        ({}, {}, 3),
        ({"skip_bad": True}, {"seed": 0, "weight_scale": 0.5}, 4),
        ({}, {"weight_scale": "he", "basis": "pixels"}, 3),
    ]
    assert type(got[1][1]["weight_scale"]) is float
    with pytest.raises(Exception, match="No such option"):
        run(["--optimizer", "adam"], standalone_mode=False)


def test_the_old_names_work_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", "--scales", "he,1", "--scale=unit", "--data", "--scale-model"]
    assert with_new_names(words) == [
        *("sweep", "--weight-scales", "he,1", "--pixel-scale=unit", "--data", "--scale-model")
    ]
    assert capsys.readouterr().err.splitlines() == [
        "--scales is called --weight-scales now; the old name works in this release only",
        "--scale is called --pixel-scale now; the old name works in this release only",
    ]
    assert with_new_names(["train", "--pixel-scale", "raw"]) == ["train", "--pixel-scale", "raw"]
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("undrawn")
def test_a_command_takes_the_old_name(jaxnet: Run, folder: Path) -> None:
    quick = ("--data", folder, "--size", 8, "--iterations", 5, "--no-page", "--json")
    old = jaxnet("train", *quick, "--scale", "unit")
    assert old.code == 0
    assert "--scale is called --pixel-scale now" in old.err
    new = jaxnet("train", *quick, "--pixel-scale", "unit")
    assert "is called" not in new.err
    costs = [json.loads(result.out)["last_cost"] for result in (old, new)]
    assert costs[0] == costs[1]
    assert costs[0] != json.loads(jaxnet("train", *quick).out)["last_cost"]


@pytest.mark.parametrize(
    ("message", "translated"),
    [
        (
            "learning_rate is nan\n  expected: a number\n  to do:    give such a learning_rate",
            "--learning-rate is nan\n  expected: a number\n  to do:    give such a --learning-rate",
        ),
        ("a value of weight_scales is -1", "a value of --weight-scales is -1"),
        ("size is 0", "--size is 0"),
        ("picture is 99", "--picture is 99"),
        ("the basis is span, the data is old", "the basis is span, the data is old"),
        ("momentum is 0.9 and nesterov False", "--momentum is 0.9 and nesterov False"),
        ("or force=True to write into it", "or --force to write into it"),
        ("leave it out: skip_bad=True.", "leave it out: --skip-bad."),
        ("give iterations=60, say", "give --iterations 60, say"),
        ("take momentum=0.5.", "take --momentum 0.5."),
        ('take optimizer="sgd", or train', "take --optimizer sgd, or train"),
        ("name them: data=…", "name them: --data …"),
        ("one size: load_dataset(…, size=64)", "one size: --size 64"),
        (
            "was saved with the setting data_seed = 'x'\n  to do:    put the data_seed back",
            "was saved with the setting data_seed = 'x'\n  to do:    put the --data-seed back",
        ),
        # What no option takes, and what only looks like a name, stays.
        ('give activations={"my": Activation("my", …)}', None),
        ("there is no /tmp/learning_rate/data_seed", None),
        ("there is no /tmp/size=64/x", None),
        ("there is no learning_rate.h5", None),
        ("there is no C:\\learning_rate", None),
        ("runs/weight_scale is not empty", None),
        ('holds the class "data_seed"', None),
        ("my_learning_rate is 3", None),
    ],
)
def test_arguments_are_named_as_options(message: str, translated: str | None) -> None:
    assert as_options(message) == (message if translated is None else translated)


def test_no_error_of_the_settings_names_an_argument() -> None:
    """Neither a range, nor a choice, nor a type, whatever the field."""
    kinds: tuple[Any, ...] = (Settings, DataSource, Preprocessing, Grid)
    for kind in kinds:
        for name in fields_of(kind).keys() - {"data", "test", "positive"}:  # texts
            with pytest.raises(UsageError) as caught:
                kind(**{name: "?"})
            said = as_options(str(caught.value))
            assert said.startswith("--" + name.replace("_", "-")), said
            assert "_" not in said.replace("leaky_relu", ""), said
