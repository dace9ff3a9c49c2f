"""One function for every answer to a program."""

import dataclasses
import enum
import json
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.activations import relu
from jaxnet.data.duplicates import Pair, Place
from jaxnet.report.json import to_json
from jaxnet.settings import Settings


class Row(NamedTuple):
    class_: str
    values: np.ndarray


@dataclasses.dataclass(frozen=True)
class Point:
    path: Path
    row: Row | None = None


class Color(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (np.bool_(False), False),
        (3, 3),
        (np.int64(3), 3),
        (0.5, 0.5),
        (np.float32(0.5), 0.5),
        (float("nan"), None),
        (np.float64(-np.inf), None),
        ("text", "text"),
        (np.str_("text"), "text"),
        (Path("a/b"), "a/b"),
        (Color.RED, "red"),
        (relu, "relu"),
        (Place("train", 5), "train 5"),
        ((1, (2.0, None)), [1, [2.0, None]]),
        ({3}, [3]),
        (np.array([[1.0, np.nan], [np.inf, 2.0]]), [[1.0, None], [None, 2.0]]),
        (np.array(["learning", ""]), ["learning", ""]),
        (jnp.array([1, 2]), [1, 2]),
        (jnp.float32(2), 2.0),
        (Row("cat", np.array([1])), {"class": "cat", "values": [1]}),
        (
            Point(Path("x"), Row("cat", np.array([]))),
            {"path": "x", "row": {"class": "cat", "values": []}},
        ),
        ({"cat_": np.float32("nan"), 7: ()}, {"cat_": None, "7": []}),
    ],
)
def test_each_kind_of_value(value: Any, expected: Any) -> None:
    result = to_json(value)
    assert result == expected
    assert type(result) is type(expected)
    assert json.loads(json.dumps(result, allow_nan=False)) == expected
    assert to_json(result) == result


def test_results_become_dicts_of_their_fields() -> None:
    pair = Pair(Place("train", 5), Place("test", 4), True, False)
    assert to_json([pair]) == [
        {"first": "train 5", "second": "test 4", "exact": True, "two_labels": False}
    ]
    settings = to_json(Settings(weight_scale="he"))
    assert settings["weight_scale"] == "he"
    assert settings["seed"] == 0
    assert settings.keys() == {field.name for field in dataclasses.fields(Settings)}


@pytest.mark.parametrize("value", [object(), Settings, 1j, b"bytes"])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be turned into JSON"):
        to_json(value)
