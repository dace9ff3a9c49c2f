"""A data set: its table, its warnings, and its numbers for JSON."""

from typing import Any

from rich.table import Table

from jaxnet.data.dataset import Dataset
from jaxnet.evaluation.audit import Audit
from jaxnet.report.audit import describe_findings
from jaxnet.report.json import to_json


def dataset_table(dataset: Dataset) -> Table:
    """Tabulate the splits: shapes, classes, range of values."""
    negative, positive = dataset.classes
    table = Table()
    for heading in ("split", "pictures", f"0: {negative}", f"1: {positive}", "values"):
        table.add_column(heading, justify="left" if heading in ("split", "pictures") else "right")
    for name, split in _splits(dataset).items():
        m = split["shape"][0]
        table.add_row(
            name,
            str(tuple(split["shape"])),
            *(f"{number} ({number / m:.1%})" for number in split["counts"].values()),
            f"{split['least']} to {split['greatest']}, mean {split['mean']:.1f}",
        )
    return table


def dataset_warnings(dataset: Dataset, audit: Audit) -> list[str]:
    """List what was left out of the data set, and what of the rest can mislead."""
    return [
        *(f"left out: {line}" for line in dataset.skipped),
        *(f"passed over: {found}" for found in dataset.passed_over),
        *(f"warning: {finding}" for finding in describe_findings(audit)),
    ]


def describe_dataset(dataset: Dataset, audit: Audit) -> dict[str, Any]:
    """Describe a data set and its audit for JSON; the findings are sentences."""
    return {
        "source": dataset.source,
        "positive": dataset.classes[1],
        "splits": _splits(dataset),
        "skipped": list(dataset.skipped),
        "sha256": dataset.sha256,
        "train_sha256": dataset.train_sha256,
        "audit": to_json(audit) | {"findings": describe_findings(audit)},
        "leaks_excluded": dataset.leaks_excluded,
        "passed_over": [
            {"kind": found.kind, "count": found.count, "example": found.example}
            for found in dataset.passed_over
        ],
    }


def _splits(dataset: Dataset) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "shape": list(split.images.shape),
            "counts": {
                name: int((split.labels == label).sum())
                for label, name in enumerate(dataset.classes)
            },
            "least": int(split.images.min()),
            "greatest": int(split.images.max()),
            "mean": float(split.images.mean()),
        }
        for name, split in dataset.splits.items()
    }
