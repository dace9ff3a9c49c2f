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
from pages import make_dataset, make_run

from jaxnet.report.page.build import IMPORT, join_modules, read_modules
from jaxnet.report.page.data import collect
from jaxnet.runs.model_file import save_model

Run = Callable[..., Result]

SOURCE = Path(__file__).parent.parent / "jaxnet" / "report" / "page"


def test_the_string_table_is_whole() -> None:
    table = (SOURCE / "strings.js").read_text("utf-8")
    lines = re.findall(r'^  "?([\w. ]+)"?: \["(.*)", "(.*)"\],$', table, re.MULTILINE)
    assert len(lines) == table.count("],\n")
    for key, english, chinese in lines:
        holes = [sorted(re.findall(r"\{\w+\}", text)) for text in (english, chinese)]
        assert holes[0] == holes[1], key
    used = "".join(source for name, source in read_modules().items() if name != "strings.js")
    used += (SOURCE / "template.html").read_text("utf-8")
    for key, _, _ in lines:
        assert f'"{key}"' in used or "." in key, key


def test_modules_are_joined_after_those_that_they_import() -> None:
    modules, script = read_modules(), join_modules()
    assert modules.keys() == {path.name for path in SOURCE.glob("*.js")}
    names: list[str] = []
    for module, source in modules.items():
        imports = re.findall(r"^import \{[^}]*\} from .*;$", source, re.MULTILINE)
        assert len(imports) == len(re.findall(r"^import", source, re.MULTILINE))
        assert not re.search(r"\bas\b", "".join(imports)), module  # names stay as they are
        for imported in IMPORT.findall(source):
            own, other = (_body(text) for text in (source, modules[imported]))
            assert script.index(other) < script.index(own), (imported, module)
        names += re.findall(
            r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", source, re.M
        )
    assert len(names) == len(set(names))
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert "</script" not in script


def _body(source: str) -> str:
    """Return the part of a module that the page holds."""
    return re.sub(r"^export ", "", IMPORT.sub("", source), flags=re.MULTILINE)


def test_modules_that_import_each_other_are_named() -> None:
    modules = {
        "a.js": "export const a = 1;\n",
        "b.js": 'import {\n  c,\n} from "./c.js";\nexport const b = c;\n',
        "c.js": 'import { a } from "./a.js";\nimport { b } from "./b.js";\n',
    }
    with pytest.raises(ValueError, match=r"'b.js', 'c.js', 'b.js'|'c.js', 'b.js', 'c.js'"):
        join_modules(modules)
    modules["b.js"] = 'import {\n  a,\n} from "./a.js";\nexport const b = a;\n'
    assert join_modules(modules) == "const a = 1;\n\nconst b = a;\n\n"


def test_no_function_is_longer_than_sixty_lines() -> None:
    kinds = (r"function \w+", r"const \w+ = .*=> \{$", r"(?:get )?\w+\(.*\) \{$")
    begins = re.compile(rf"^( *)(?:export )?(?:async )?(?:{'|'.join(kinds)})")
    long = []
    for name, source in read_modules().items():
        lines = source.split("\n")
        for at, line in enumerate(lines):
            if found := begins.match(line):
                ends = (i for i in range(at + 1, len(lines)) if lines[i].startswith(found[1] + "}"))
                if next(ends) - at >= 60:
                    long.append((name, line))
    assert long == []


def test_no_default_or_range_stands_in_the_scripts() -> None:
    for name in ("settings.js", "setup.js", "transport.js", "command.js", "starts.js"):
        script = re.sub(r"//.*|/\*.*?\*/|step: 0\.01", "", read_modules()[name])
        assert not re.search(r"\b(0\.0075|0\.01|2500|16|100_?000|2 \*\* 32)\b", script), name


def test_the_command_tells_of_a_sample_and_of_other_data(
    jaxnet: Run, folder: Path, undrawn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    jaxnet("train", "--data", folder, "--size", 8, "--iterations", 5)
    (folder / "cat" / "01.png").unlink()
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("jaxnet.report.page.data.MOST_PICTURES", 5)
    monkeypatch.setattr("jaxnet.report.page.data.SAMPLE", 4)
    result = jaxnet("page", "runs/001", "--open")
    assert result.code == 0
    assert "a sample of 4 of the 11 pictures" in result.out
    assert "the data have changed" in result.out
    assert opened == [Path("runs/001/page.html").absolute().as_uri()]
    assert jaxnet("page", "nowhere").code == 2


def test_other_data_are_shown_at_the_size_of_the_network_and_named(
    jaxnet: Run, folder: Path, h5: Callable[..., Path], undrawn: None
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


def test_a_model_that_does_not_know_its_start_is_refused(jaxnet: Run) -> None:
    save_model("alone.h5", make_run(precision="float32").model)
    result = jaxnet("page", "alone.h5")
    assert result.code == 2
    assert "does not record the settings" in result.err


@pytest.mark.parametrize("prng", ["threefry2x32", "rbg"])
def test_the_initial_weights_are_those_of_the_run(prng: str) -> None:
    run = make_run(seed=8, weight_scale="he", precision="float32", prng=prng)
    page = collect(run, make_dataset())
    assert page.header["prng"] == prng
    for name in ("W1", "W2"):
        np.testing.assert_array_equal(page.arrays[name], run.model.params[name])
    with jax.default_prng_impl("unsafe_rbg"):
        again = collect(run, make_dataset())
    np.testing.assert_array_equal(again.arrays["W1"], page.arrays["W1"])
