"""The promises of the README and of docs/ that no other test keeps."""

import ast
import collections
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import h5py
import numpy as np
import pytest
import typer.main
from PIL import Image

import jaxnet
from experiments.__main__ import EXPERIMENTS
from jaxnet.commands.main import RENAMED, app
from jaxnet.data.source import DataSource
from jaxnet.evaluation.doctor import all_checks, derivatives
from jaxnet.outcomes import FAILED, Outcome
from jaxnet.report.run import run_to_json
from jaxnet.runs.model_file import FORMAT_VERSION
from jaxnet.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *DOCS]

# What blocks under these headings print, where the comment beside the line says the same.
PRINTED: collections.defaultdict[str, tuple[str, ...]] = collections.defaultdict(tuple) | {
    "Train on a folder": ("(16, 3072) float64",),
    "Sweep": ("(1, 3, 2, 4)",),
    "Save, load, resume": ("True None",),
    "Check your own formulas": ("'formulas': ('dW1',)",),
}


class Block(NamedTuple):
    """A block of Python in a page."""

    page: str
    heading: str
    line: int
    code: str

    def run(self, namespace: dict[str, Any]) -> None:
        # With empty lines before it, so that a traceback names the line of the page.
        exec(compile("\n" * self.line + self.code, str(ROOT / self.page), "exec"), namespace)


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", read(page), flags=re.DOTALL | re.MULTILINE)


def headings(page: str) -> list[str]:
    return re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)


def rows(page: str, first: str) -> list[list[str]]:
    """Return the cells of the table of a page whose first heading is `first`."""
    table = read(page).split(f"\n| {first} |", 1)[1].split("\n\n", 1)[0]
    return [
        [cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.split("\n")[2:]
    ]


def blocks(page: str) -> Iterator[Block]:
    text = read(page)
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        before = text[: match.start(1)]
        heading = re.findall(r"^#+ (.*)$", before, re.MULTILINE)[-1]
        yield Block(page, heading, before.count("\n"), match[1])


# The blocks that every run of the tests runs, by page or by heading; the others compile much.
QUICK = {
    "README.md",
    "docs/index.md",
    "Train on a folder",
    "Evaluate with intervals",
    "Ensembles",
    "Save, load, resume",
    "Validation and early stopping",
    "Weight decay",
    "An activation of your own",
    "More pictures than memory",
}

FIRST, *LIBRARY = blocks("docs/library.md")
OTHERS = [block for page in PAGES if page != "docs/library.md" for block in blocks(page)]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the photo and the pictures of the examples: bright cats, dark others."""
    folder = tmp_path_factory.mktemp("docs")
    images = np.random.default_rng(0).integers(0, 128, (20, 16, 16, 3), dtype=np.uint8)
    for i, image in enumerate(images):
        name, offset = ("cat", 128) if i % 2 else ("other", 0)
        path = folder / "pets" / name / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image + np.uint8(offset)).save(path)
    (folder / "photos").mkdir()
    for path in (folder / "photo.jpg", folder / "photos" / "1.jpg"):
        Image.fromarray(images[1] + np.uint8(128)).save(path)
    return folder


@pytest.fixture(scope="module")
def names(workplace: Path) -> dict[str, Any]:
    """The names of the library's first block, whose run is saved in runs/001 as well."""
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workplace)
        FIRST.run(names)
        names["run"].save("runs/001")
    return names


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(
            block,
            marks=() if QUICK & {block.page, block.heading} else pytest.mark.slow,
            id=f"{Path(block.page).stem}, line {block.line}: {block.heading}",
        )
        for block in (*LIBRARY, *OTHERS)
    ],
)
def test_the_code_runs(
    block: Block,
    workplace: Path,
    names: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(workplace)
    name, check = next(iter(all_checks.PIPELINE_CHECKS.items()))  # the one that fails, for one g
    monkeypatch.setattr(all_checks, "PIPELINE_CHECKS", {name: check})
    monkeypatch.setattr(derivatives, "ACTIVATIONS", {"relu": jaxnet.relu})
    if block.page == "README.md":  # which would draw pictures
        monkeypatch.setattr(jaxnet, "load_dataset", lambda source: names["data"])
    block.run(dict(names) if block in LIBRARY else {})
    printed = capsys.readouterr().out
    assert ("print(" in block.code) == bool(printed)
    for text in PRINTED[block.heading] if block in LIBRARY else ():
        assert (text in block.code) == (text in printed)


def test_the_first_block_learns(names: dict[str, Any]) -> None:
    assert names["run"].outcome == "learning"


def test_the_readme_is_short_and_names_the_test_command() -> None:
    """.ci/run takes the test command from between the two fences."""
    assert len(read("README.md").split()) <= 1200
    (command,) = re.findall(r"^```sh test\n(.*?)^```$", read("README.md"), re.DOTALL | re.MULTILINE)
    assert command.startswith("python3 -m venv .venv && ")
    assert "pytest" in command


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", read(page)):
            path = (ROOT / page).parent / target if target else ROOT / page
            assert path.exists(), f"{page}: {target}"
            if anchor:
                kept = [re.sub(r"[^\w\- ]", "", text.lower()) for text in headings(str(path))]
                assert anchor in [text.replace(" ", "-") for text in kept], f"{page}: #{anchor}"


def test_every_page_has_a_way_to_it_and_the_readme_names_the_article() -> None:
    readme = read("README.md")
    pages = "".join(map(read, DOCS))
    trees = re.findall(r"^```{toctree}\n(.*?)^```$", pages, re.DOTALL | re.MULTILINE)
    listed = [name for tree in trees for name in tree.split("\n") if name and name[0] != ":"]
    names = [re.sub(r".*<(.*)>", r"\1", name) for name in [*listed, "index"]]
    assert sorted(f"docs/{name}.md" for name in names) == DOCS
    for page in ("CONTRIBUTING.md", "CHANGELOG.md", "docs/index.md"):
        assert f"]({page})" in readme, page
    assert "towardsdatascience.com/how-does-a-neural-network-learn-f33bcff61026" in readme
    for path in (ROOT / "docs").glob("*.*"):
        shown = "".join(read(page) for page in PAGES)
        assert path.name in shown or f"docs/{path.name}" in DOCS, f"{path.name} is not used"


def test_nothing_is_installed_from_the_index_by_name() -> None:
    """There the name belongs to another project."""
    command = re.compile(r"pip3? install[^\n`]*?(?<![\w/.-])jaxnet\b")
    folders = (path for name in ("jaxnet", "experiments", ".github") for path in ROOT.glob(name))
    files = [path for folder in folders for path in folder.rglob("*.*") if path.suffix != ".pyc"]
    for path in [*files, ROOT / "pyproject.toml", *(ROOT / page for page in PAGES)]:
        text = path.read_text(encoding="utf-8", errors="ignore") if path.is_file() else ""
        assert not command.search(text), path


# Options of other programs.
FOREIGN = {"--dist", "--fix", "--help", "--print-width"}
FOREIGN |= {"--install-completion", "--show-completion", "--fail-on-warning"}  # typer's, Sphinx's
FOREIGN |= {"--host", "--map-by", "--allow-run-as-root", "--oversubscribe", "--mca"}  # mpirun's
FOREIGN |= {"--job-name", "--nodes", "--ntasks-per-node", "--gpus-per-node", "--cpus-per-task"}
FOREIGN |= {"--time", "--requeue", "--kill-on-bad-exit"}  # sbatch's and srun's


def test_commands_and_options_exist() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    ours = {option for command in commands.values() for p in command.params for option in p.opts}
    for page in PAGES:
        text = read(page)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text):
            known = option in ours | FOREIGN or (page == "CHANGELOG.md" and option in RENAMED)
            assert known, f"{page}: {option}"
        fenced = "".join(re.findall(r"^```sh.*?^```$", text, re.DOTALL | re.MULTILINE))
        asked = re.findall(r"(?:^|[/ ])jaxnet ([a-z][a-z-]*)", fenced, re.MULTILINE)
        for command in asked + re.findall(r"`jaxnet ([a-z][a-z-]*)", text):
            assert command in commands, f"{page}: {command}"
    for name in commands:
        assert f"`jaxnet {name}" in read("README.md"), name


def test_names_of_the_library_exist() -> None:
    modules = {path.stem for path in (ROOT / "jaxnet").rglob("*")}
    pages = [page for page in PAGES if page not in ("CHANGELOG.md", "docs/page.md")]
    for page in pages:
        for name in re.findall(r"(?<![\w/.@])jaxnet\.(\w+)", read(page)):
            assert name in jaxnet.__all__ or name in modules, f"{page}: jaxnet.{name}"
    for cells in rows("docs/formulas.md", "formula"):
        for name in re.findall(r"`(\w+)", cells[1]):
            assert name in jaxnet.__all__, name


def test_files_that_are_named_exist() -> None:
    for page in PAGES:
        if page == "CHANGELOG.md":
            continue
        for name in re.findall(r"`(?:tests/)?(test_\w+\.py)", read(page)):
            assert (ROOT / "tests" / name).exists(), f"{page}: {name}"
        for name in re.findall(r"`((?:jaxnet|experiments|tests|docs)/[\w./-]*)`", read(page)):
            assert (ROOT / name).exists(), f"{page}: {name}"


def test_the_outcomes_are_those_of_the_library() -> None:
    table = rows("docs/runs.md", "outcome")
    assert tuple(cells[0] for cells in table) == first_that_fits()
    failures = {cells[0] for cells in table if cells[-1] == "failure"}
    assert failures == set(FAILED)


def first_that_fits() -> tuple[str, ...]:
    """The outcomes in the order in which they are judged."""
    order = ("not finite", "dead", "plateau", "learning", "diverged", "slow")
    assert set(order) == set(get_args(Outcome))
    return order


def test_the_model_file_holds_what_is_described(names: dict[str, Any], workplace: Path) -> None:
    described = {
        re.findall(r"`([\w/]+)`", cells[0])[0]: cells[1]
        for cells in rows("docs/model-file.md", "in the file")[1:]
    }
    with h5py.File(workplace / "runs/001/model.h5") as file:
        assert file.attrs["format_version"] == FORMAT_VERSION
        top = {name for name in described if "/" not in name}
        assert set(file) == top
        for name in top - {"params", "costs", "classes"}:
            for attribute in file[name].attrs:
                assert re.search(rf"\b{attribute}\b", described[name]), f"{name}: {attribute}"
        assert set(file["descent"]) == {n.split("/")[1] for n in described if "/" in n} | {"Z1"}
    for fields, name in ((Settings, "settings"), (DataSource, "data")):
        for field in fields.__dataclass_fields__:
            assert f"`{field}`" in described[name], field
    versions = rows("docs/model-file.md", "version")
    assert [int(cells[0]) for cells in versions] == [*range(FORMAT_VERSION, 0, -1)]


def test_the_answer_in_json_is_what_is_described(names: dict[str, Any], workplace: Path) -> None:
    run, data = names["run"], names["data"]
    audit, diagnosis = jaxnet.audit(data), jaxnet.diagnose(run)
    answer = run_to_json(workplace / "runs/001", run, data, audit, {}, None, diagnosis)
    described = " ".join(cells[0] for cells in rows("docs/runs.md", "key"))
    assert sorted(re.findall(r"`(\w+)`", described)) == sorted(answer)


def test_every_experiment_is_described_in_its_order() -> None:
    table = rows("docs/experiments.md", "experiment")
    assert tuple(cells[0].strip("`") for cells in table) == EXPERIMENTS


def imported_by(path: Path) -> set[str]:
    """List the files of the package that a file imports, anywhere in it."""
    files = set()
    if path.suffix == ".js":
        names = re.findall(r'from "\./([\w.]+)";', path.read_text(encoding="utf-8"))
        return {str((path.parent / name).relative_to(ROOT)) for name in names}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jaxnet":
            module = Path(*str(node.module).split("."))
            files |= {module.with_suffix(".py"), *(module / f"{a.name}.py" for a in node.names)}
    return {str(file) for file in files if (ROOT / file).exists()}


def test_one_file_imports_what_stands_below_it_by_name() -> None:
    """The file map does not see it: report/, when a result shows itself."""
    files = [path for path in (ROOT / "jaxnet").rglob("*.py") if path.parent.name != "commands"]
    named = [path.name for path in files if "import_module(" in path.read_text(encoding="utf-8")]
    assert named == ["display.py"]


def test_the_file_map_names_every_file_after_those_it_imports() -> None:
    named = re.findall(r"^\| `(jaxnet/[\w/]+\.(?:py|js))`", read("docs/files.md"), re.MULTILINE)
    files = {
        str(path.relative_to(ROOT))
        for ending in ("py", "js")
        for path in (ROOT / "jaxnet").rglob(f"*.{ending}")
        if not path.name.startswith("__")
    }
    assert sorted(named) == sorted(files)
    for position, name in enumerate(named):
        later = imported_by(ROOT / name) - set(named[:position])
        assert not later, f"{name} imports {later}"
