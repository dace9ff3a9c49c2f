"""The README's promises that no other test keeps."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_library_example_runs_and_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out.count("learning") == 1
    assert (tmp_path / "cats.h5").exists()


def test_the_file_map_names_every_file_in_an_order_without_turning_back() -> None:
    named = re.findall(r"^\| `(jaxnet/[\w/]+\.py)`", README, re.MULTILINE)
    there = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "jaxnet").rglob("*.py")
        if not path.name.startswith("__") and path.parent.name != "commands"
    }
    assert set(named) == there
    for position, name in enumerate(named):
        modules = re.findall(r"from (jaxnet[.\w]*) import", (ROOT / name).read_text("utf-8"))
        imported = {f"{module.replace('.', '/')}.py" for module in modules} - {"jaxnet.py"}
        assert imported <= set(named[:position]), name


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
