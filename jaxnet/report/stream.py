"""A training on a stream: its pictures and results in words and for JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from jaxnet.data.stored import StoredPictures
from jaxnet.network import count_params
from jaxnet.report.evaluation import summary_line
from jaxnet.report.run import settings_to_json, training_to_json
from jaxnet.runs.run import Run

Splits = Mapping[str, StoredPictures]


def describe_stored(splits: Splits) -> Table:
    """Tabulate pictures that are read in blocks: where they are, shapes, classes."""
    first = splits["train"]
    table = Table(title=f"Data: {first.source}, read in blocks", title_justify="left")
    for heading in ("split", "pictures", *(f"{i}: {name}" for i, name in enumerate(first.classes))):
        table.add_column(heading, justify="left" if heading in ("split", "pictures") else "right")
    for name, pictures in splits.items():
        m = len(pictures)
        table.add_row(
            name,
            str((m, *pictures.size, 3)),
            *(f"{number:,} ({number / m:.1%})" for number in _counts(pictures)),
        )
    return table


def stored_results(splits: Splits, predictions: dict[str, np.ndarray]) -> list[str]:
    """Say how good the predictions of each split are, a line each."""
    return [
        summary_line(
            name, splits[name].labels, predicted, splits[name].classes, seen=name == "train"
        )
        for name, predicted in predictions.items()
    ]


def stream_to_json(
    folder: Path, run: Run, splits: Splits, predictions: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Put the answer of a training on a stream together."""
    return {
        "run": str(folder),
        "data": stored_to_json(splits),
        "parameters": count_params(run.model.params),
        "settings": settings_to_json(run),
        "origin": run.origin,
        **training_to_json(run),
        "accuracy": {
            name: float((predicted == splits[name].labels).mean())
            for name, predicted in predictions.items()
        },
    }


def stored_to_json(splits: Splits) -> dict[str, Any]:
    """Describe pictures that are read in blocks for JSON."""
    first = splits["train"]
    return {
        "source": first.source,
        "positive": first.classes[1],
        "splits": {
            name: {
                "shape": [len(pictures), *pictures.size, 3],
                "counts": dict(zip(pictures.classes, _counts(pictures), strict=True)),
            }
            for name, pictures in splits.items()
        },
        "sha256_of_sample": first.sha256,
    }


def _counts(pictures: StoredPictures) -> tuple[int, int]:
    positive = int(pictures.labels.sum())
    return len(pictures) - positive, positive
