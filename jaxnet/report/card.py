"""A model card: what a network is, how well it does, and where it fails, for those who get it.

Markdown under a head in YAML, which model hubs read (https://huggingface.co/docs/hub/model-cards).
The scores and the audit are computed anew.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from jaxnet.data.all_pictures import Data, source_of
from jaxnet.data.dataset import Dataset
from jaxnet.errors import require_kind
from jaxnet.evaluation.audit import Audit, audit
from jaxnet.evaluation.evaluate import Evaluation, evaluate
from jaxnet.io.files import expand
from jaxnet.network import count_params
from jaxnet.progress import Track, automatic
from jaxnet.report.audit import describe_findings
from jaxnet.report.card_limits import describe_limits
from jaxnet.report.dataset import dataset_table
from jaxnet.report.evaluation import (
    describe_scorings,
    describe_threshold,
    describe_verdict,
    evaluation_tables,
)
from jaxnet.report.run import settings_to_json
from jaxnet.report.stream import describe_stored
from jaxnet.report.training import describe_costs, describe_validation
from jaxnet.runs.run import Run

if TYPE_CHECKING:
    from jaxnet.data.duplicates import Pair

# The scores in the head: their names at model hubs, and here.
METRICS = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "roc_auc": "roc_auc",
    "brier_score": "brier",
}

NOTHING_FOUND = (
    "The audit found nothing that can mislead: no duplicates, no picture with two labels, no "
    "constant picture, no skewed classes, no prediction by brightness alone."
)


def model_card(
    run: Run,
    data: Data,
    *,
    name: str = "jaxnet",
    model_file: str | Path | None = None,
    scorings: Sequence[str] = (),
    pairs: "tuple[Pair, ...] | None" = None,
    track: Track = automatic,
) -> str:
    """Write the card of a run as Markdown with a head in YAML.

    It evaluates the run, which is a use of the test set like any other, and audits the data.

    Args:
        run: The run.
        data: Its pictures, or others to score it on: a `Dataset`, or what `open_splits` returns.
        name: What the network is called.
        model_file: The file whose SHA-256 the card states.
        scorings: What has scored the test set, this card included, as `jaxnet card` counts it.
        pairs: The duplicates in the data, if they are known.
        track: Shows the progress.

    Raises:
        DataError: If the pictures cannot be used.
        UsageError: If `run` is no Run.
    """
    require_kind("run", run, Run)
    evaluation = evaluate(run, data, track=track)
    audited = audit(data, pairs=pairs, track=track)
    limits = describe_limits(run, evaluation, audited, scorings)
    parts = [
        *_introduction(run, name),
        *_intended_use(run),
        *_data(data, audited),
        *_scores(evaluation, scorings),
        "## Limits",
        "\n".join(f"- {_plain(limit)}" for limit in limits),
        *_origin(run),
        *_hashes(run, data, model_file),
    ]
    return f"---\n{_head(evaluation, data, name)}---\n\n" + "\n\n".join(parts) + "\n"


def _head(evaluation: Evaluation, data: Data, name: str) -> str:
    source = _without_folders(data)
    head: dict[str, Any] = {
        "library_name": "jaxnet",
        "pipeline_tag": "image-classification",
        "tags": ["jax", "jaxnet", "image-classification", "binary-classification"],
    }
    test = evaluation.splits.get("test")
    if test is not None:
        scores = {hub: getattr(test, ours).value for hub, ours in METRICS.items()}
        finite = {metric: value for metric, value in scores.items() if math.isfinite(value)}
        head["metrics"] = list(finite)
        results = {
            "task": {"type": "image-classification", "name": "Image classification"},
            "dataset": {
                "type": re.sub(r"[^\w.-]+", "-", source).strip("-") or "pictures",
                "name": source,
                "split": "test",
            },
            "metrics": [
                {"type": metric, "value": round(value, 4), "name": f"Test {metric}"}
                for metric, value in finite.items()
            ],
        }
        head["model-index"] = [{"name": name, "results": [results]}]
    return "\n".join(_yaml(head)) + "\n"


def _yaml(value: Any) -> Iterator[str]:
    """Write dicts, lists and scalars as lines of YAML, whose scalars may be those of JSON."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield f"{key}:"
                yield from (f"  {line}" for line in _yaml(item))
            else:
                yield f"{key}: {json.dumps(item)}"
    else:
        for item in value:
            lines = list(_yaml(item)) if isinstance(item, dict) else [json.dumps(item)]
            yield f"- {lines[0]}"
            yield from (f"  {line}" for line in lines[1:])


def _without_folders(data: Data) -> str:
    """Describe where the data are from, without the folders of this machine."""
    text = _readable(source_of(data))
    source = data.data_source if isinstance(data, Dataset) else data["train"].data_source
    for path in () if source is None else (source.data, source.test or ""):
        for folder in (Path(path).parent, expand(path).parent, expand(path).absolute().parent):
            text = text.replace(f"{folder}/", "")
    return re.sub(r"(?<!\w)[\w.~-]*/[^\s,;]*/", "", text)


def _readable(text: str) -> str:
    """Replace what no text file may hold: bytes of file names that are not UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _plain(text: str) -> str:
    """Escape what Markdown would take as markup, and keep the text in one line."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(_readable(text).split()))


def _sentence(text: str) -> str:
    text = _plain(text)
    return text[:1].upper() + text[1:]


def _markdown(table: Table) -> str:
    """Write a table as Markdown, under its title."""
    columns = [[str(column.header), *map(str, column.cells)] for column in table.columns]
    first, *rows = [[_plain(cell) for cell in row] for row in zip(*columns, strict=True)]
    lines = [first, ["---"] * len(first), *rows]
    title = f"{_sentence(str(table.title))}:\n\n" if table.title else ""
    return title + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _introduction(run: Run, name: str) -> list[str]:
    negative, positive = (_plain(each) for each in run.classes)
    n_h, n_x = run.model.params["W1"].shape
    return [
        f"# {_plain(name)}: {positive} or {negative}",
        f'A network with one hidden layer that computes the probability that a picture shows "'
        f'{positive}" rather than "{negative}": {n_x:,} pixels → {n_h:,} units '
        f"({_plain(run.hidden.name)}) → 1 sigmoid, {count_params(run.model.params):,} parameters "
        f"in {run.model.params['W1'].dtype}{_of_ensemble(run)}.",
        "```python\nimport jaxnet\n\n"
        'model = jaxnet.load_model("model.h5")\n'
        f'print(model.predict_files(["photo.jpg"]))  # P({_readable(run.classes[1])}) of each\n```',
    ]


def _of_ensemble(run: Run) -> str:
    return f"; and {len(run.members)} such networks, whose mean it is" if run.members else ""


def _intended_use(run: Run) -> list[str]:
    how = run.preprocessing
    negative, positive = (_plain(each) for each in run.classes)
    colors = "made grey (luma)" if how.color == "gray" else "kept in colour"
    return [
        "## Intended use",
        f'To tell "{positive}" from "{negative}" in pictures like those it was trained on; to '
        "learn and to teach how a small network learns; and as a baseline for larger ones. It is "
        "not intended for decisions about people, nor for any use in which an error does harm.",
        f"Pictures of any size and format are turned upright, stretched to {how.height} × "
        f"{how.width} pixels, and {colors}. The answer is one probability; above 0.5 it means "
        f'"{positive}".',
    ]


def _data(data: Data, audited: Audit) -> list[str]:
    parts = ["## Data", f"{_plain(_without_folders(data))}."]
    if isinstance(data, Dataset):
        parts.append(_markdown(dataset_table(data)))
        if data.skipped or data.passed_over:
            left_out = len(data.skipped) + sum(found.count for found in data.passed_over)
            parts.append(f"{left_out:,} files were left out, as they are no readable pictures.")
        if data.leaks_excluded:
            parts.append(
                f"{data.leaks_excluded:,} test pictures were left out, as they are in train, too."
            )
    else:
        table = describe_stored(data)
        table.title = None
        parts.append(_markdown(table))
    findings = describe_findings(audited)
    if not findings:
        return [*parts, NOTHING_FOUND]
    found = "\n".join(f"- {_plain(finding)}" for finding in findings)
    return [*parts, f"The audit found what can mislead:\n\n{found}"]


def _scores(evaluation: Evaluation, scorings: Sequence[str]) -> list[str]:
    scores, baselines, confusion, _ = evaluation_tables(evaluation)
    verdicts = [_sentence(line) + "." for line in describe_verdict(evaluation)]
    again = describe_scorings(scorings)
    return [
        "## Scores",
        _plain(describe_threshold(evaluation.threshold)) + ".",
        *(_markdown(table) for table in (scores, baselines, confusion)),
        *verdicts,
        *([_sentence(again) + "."] if again else []),
    ]


def _origin(run: Run) -> list[str]:
    parts = ["## How it was made"]
    if "imported" in run.origin:
        parts.append(f"Imported from {_plain(str(run.origin['imported']))}.")
    if run.settings is None:
        return [*parts, "How it was trained is not recorded."]
    keys = [key for key in ("jaxnet", "jax", "python", "device") if key in run.origin]
    parts.append(_plain(", ".join(f"{key} {run.origin[key]}" for key in keys)) + ".")
    if run.origin.get("command"):
        parts.append(f"```sh\n{_readable(str(run.origin['command']))}\n```")
    parts += [_sentence(line) + "." for line in (describe_costs(run), *describe_validation(run))]
    table = Table("setting", "value")
    for name, value in settings_to_json(run).items():
        if value is not None:
            table.add_row(name, str(value))
    return [*parts, _markdown(table)]


def _hashes(run: Run, data: Data, model_file: str | Path | None) -> list[str]:
    table = Table("SHA-256 of", "")
    if model_file is not None:
        digest = hashlib.sha256(Path(model_file).read_bytes()).hexdigest()
        table.add_row(Path(model_file).name, digest)
    numbers = hashlib.sha256()
    for params in run.model.networks:
        for leaf in ("W1", "b1", "W2", "b2"):
            numbers.update(np.ascontiguousarray(params[leaf]).tobytes())
    table.add_row("the bytes of W1, b1, W2 and b2", numbers.hexdigest())
    for key, words in (
        ("train_sha256", "the training set it was trained on"),
        ("sha256", "all pictures and labels at its training"),
        ("stream_sha256", "the files it was trained on, of a sample"),
        ("imported_sha256", "the file it was imported from"),
    ):
        if key in run.origin:
            table.add_row(words, str(run.origin[key]))
    if isinstance(data, Dataset):
        table.add_row("the pictures and labels it was scored on", data.sha256)
    return ["## Hashes", _markdown(table)]
