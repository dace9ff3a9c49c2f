"""How the offline page is put together, and what the command says of it."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
from conftest import Result
from pages import make_model

from jaxnet.report.page.build import MODULES, join_modules
from jaxnet.report.page.data import first_params
from jaxnet.runs.model_file import Model, save_model

Run = Callable[..., Result]

SOURCE = Path(__file__).parent.parent / "jaxnet" / "page"


def test_the_string_table_is_whole() -> None:
    table = (SOURCE / "strings.js").read_text("utf-8")
    lines = re.findall(r'^  "?([\w.]+)"?: \["(.*)", "(.*)"\],$', table, re.MULTILINE)
    assert len(lines) == table.count("],\n")
    for key, english, chinese in lines:
        holes = [sorted(re.findall(r"\{\w+\}", text)) for text in (english, chinese)]
        assert holes[0] == holes[1], key
    used = "".join((SOURCE / name).read_text("utf-8") for name in MODULES if name != "strings.js")
    used += (SOURCE / "template.html").read_text("utf-8")
    for key, _, _ in lines:
        assert f'"{key}"' in used or "." in key, key


def test_modules_import_only_from_modules_before_them() -> None:
    names: list[str] = []
    for position, module in enumerate(MODULES):
        source = (SOURCE / module).read_text("utf-8")
        imported = re.findall(r'^import \{[\w\s,]*\} from "\./([\w.]+)";$', source, re.MULTILINE)
        assert len(imported) == len(re.findall(r"^import", source, re.MULTILINE))
        assert set(imported) <= set(MODULES[:position]), module
        names += re.findall(
            r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", source, re.M
        )
    assert len(names) == len(set(names))
    assert {path.name for path in SOURCE.glob("*.js")} == set(MODULES)
    assert not re.search(r"^(import|export)\b", join_modules(), re.MULTILINE)
    assert "</script" not in join_modules()


def test_the_command_tells_of_a_sample_and_of_other_data(
    jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jaxnet("train", "--data", folder, "--size", 8, "--iterations", 5)
    (folder / "cat" / "01.png").unlink()
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("jaxnet.report.page.data.MOST", 5)
    monkeypatch.setattr("jaxnet.report.page.data.SAMPLE", 4)
    result = jaxnet("page", "runs/001", "--open")
    assert result.code == 0
    assert "a sample of 4 of the 11 pictures" in result.out
    assert "the data have changed" in result.out
    assert opened == [Path("runs/001/page.html").absolute().as_uri()]
    assert jaxnet("page", "nowhere").code == 2


def test_other_data_are_shown_at_the_size_of_the_network_and_named(
    jaxnet: Run, folder: Path, h5: Callable[..., Path]
) -> None:
    jaxnet("train", "--data", folder, "--size", 5, "--iterations", 5)
    result = jaxnet("page", "runs/001", "--data", h5(), "--positive", "cat")
    assert result.code == 0
    assert "other data" in result.out
    html = Path("runs/001/page.html").read_text("utf-8")
    (header,) = re.findall(r'"header": "([\w+/=]+)"', html)
    told = json.loads(base64.b64decode(header))
    assert (told["height"], told["width"]) == (5, 5)
    assert told["settings"]["data"].endswith("both.h5")
    assert told["settings"]["positive"] == "cat"
    assert told["splits"]["train"] == {"m": 8, "of": 8}


def test_a_model_that_does_not_know_its_start_is_refused(x64: None, jaxnet: Run) -> None:
    model = make_model()
    save_model("alone.h5", Model(model.params, model.preprocessing, model.classes))
    result = jaxnet("page", "alone.h5")
    assert result.code == 2
    assert "from which weights it was trained" in result.err


def test_the_first_weights_are_drawn_once_more() -> None:
    model = make_model_in_float32()
    for name, values in first_params(model).items():
        np.testing.assert_array_equal(values, model.params[name])


def make_model_in_float32() -> Model:
    with jax.enable_x64(True):
        model = make_model(seed=8, weight_scale="he")
    params = {
        name: jax.numpy.asarray(np.asarray(v, np.float32)) for name, v in model.params.items()
    }
    return Model(params, model.preprocessing, model.classes, settings=model.settings)
