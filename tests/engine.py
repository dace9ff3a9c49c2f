"""The offline page's modules under Node, for tests that need no browser."""

import itertools
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from jaxnet.data.dataset import Dataset
from jaxnet.report.page.build import encode
from jaxnet.report.page.data import collect
from jaxnet.runs.run import Run

NODE = shutil.which("node")
SOURCE = Path(__file__).parent.parent / "jaxnet" / "report" / "page"

Node = Callable[..., Any]


# Node takes 0.1 s to start. The modules beside a script are loaded for it alone.
SERVER = """
import { createInterface } from "node:readline";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
for await (const script of createInterface({ input: process.stdin })) {
  const written = {};
  globalThis.write = (answer) => { written.answer = answer; };
  process.chdir(dirname(script));
  await import(pathToFileURL(script)).catch((error) => { written.error = String(error.stack); });
  console.log(JSON.stringify(written));
}
"""


@pytest.fixture(scope="session")
def node_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IO[str], IO[str]]]:
    """Start the process in which all scripts are run: it takes their paths, and tells results."""
    if NODE is None:
        pytest.skip("there is no Node to run the engine in")
    server = tmp_path_factory.mktemp("node") / "server.mjs"
    server.write_text(SERVER)
    pipe = subprocess.PIPE
    with subprocess.Popen([NODE, server], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdin, process.stdout
        process.stdin.close()


@pytest.fixture
def node(tmp_path: Path, node_process: tuple[IO[str], IO[str]]) -> Node:
    """Run lines of JavaScript that may use `descents`, one per run, and return what they write."""
    numbers = itertools.count()

    def execute(lines: str, *runs: tuple[Run, Dataset], pictures: bool = True) -> Any:
        (tmp_path / "package.json").write_text('{"type": "module"}')
        for module in SOURCE.glob("*.js"):
            shutil.copy(module, tmp_path)
        for number, (run, dataset) in enumerate(runs):
            data = collect(run, dataset, pictures=pictures)
            (tmp_path / f"{number}.json").write_text(encode(data))
        script = tmp_path / f"run{next(numbers)}.js"
        script.write_text(
            'import { readFileSync } from "node:fs";\n'
            'import { readData } from "./data.js";\n'
            'import { Descent } from "./descent.js";\n'
            'import { commandLine, whyNoCommand } from "./command.js";\n'
            'import { lateCost, outcome } from "./outcome.js";\n'
            'import { drawNormals } from "./draw.js";\n'
            'import { resize } from "./resample.js";\n'
            'import { wilson } from "./scores.js";\n'
            "const read = (n) => new Descent(readData(readFileSync(`${n}.json`, 'utf8')));\n"
            f"const descents = [...Array({len(runs)}).keys()].map(read);\n" + lines
        )
        paths, results = node_process
        print(script, file=paths, flush=True)
        written = json.loads(results.readline())
        assert "error" not in written, written["error"]
        return written["answer"]

    return execute
