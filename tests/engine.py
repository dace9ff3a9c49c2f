"""The offline page's modules under Node, for tests that need no browser."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jaxnet.data.dataset import Dataset
from jaxnet.report.page.build import encode
from jaxnet.report.page.data import collect
from jaxnet.runs.run import Run

NODE = shutil.which("node")
SOURCE = Path(__file__).parent.parent / "jaxnet" / "report" / "page"

Node = Callable[..., Any]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Run lines of JavaScript that may use `descents`, one per run, and return what they write."""

    if NODE is None:
        pytest.skip("there is no Node to run the engine in")

    def execute(lines: str, *runs: tuple[Run, Dataset], pictures: bool = True) -> Any:
        (tmp_path / "package.json").write_text('{"type": "module"}')
        for module in SOURCE.glob("*.js"):
            shutil.copy(module, tmp_path)
        for number, (run, dataset) in enumerate(runs):
            data = collect(run, dataset, pictures=pictures)
            (tmp_path / f"{number}.json").write_text(encode(data))
        (tmp_path / "run.js").write_text(
            'import { readFileSync } from "node:fs";\n'
            'import { readData } from "./data.js";\n'
            'import { Descent } from "./descent.js";\n'
            'import { commandLine, whyNoCommand } from "./command.js";\n'
            'import { lateCost, outcome } from "./outcome.js";\n'
            'import { drawNormals } from "./draw.js";\n'
            'import { resize } from "./resample.js";\n'
            'import { wilson } from "./scores.js";\n'
            "const read = (n) => new Descent(readData(readFileSync(`${n}.json`, 'utf8')));\n"
            f"const descents = [...Array({len(runs)}).keys()].map(read);\n"
            "const write = (answer) => console.log(JSON.stringify(answer));\n" + lines
        )
        done = subprocess.run(
            [str(NODE), "run.js"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return execute
