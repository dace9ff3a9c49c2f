"""Predictions as a table for people and as CSV for programs."""

import collections
import csv
import io
from collections.abc import Sequence

from jaxnet.data.passed_over import readable
from jaxnet.evaluation.predictions import Prediction

COLUMNS = ("picture", "positive", "probability", "class")


def describe_predictions(predictions: Sequence[Prediction]) -> list[str]:
    """Make a table with one line for each picture, and the sum of each class for more than one."""
    title = f"P({predictions[0].positive})"
    rows = [
        (readable(p.picture), f"{p.probability:.4f}".rjust(len(title)), p.class_)
        for p in predictions
    ]
    longest = max(len(name) for name, _, _ in (*rows, ("picture", "", "")))
    width = max(len(title), len("0.0000"))
    lines = [f"{'picture':{longest}}  {title:>{width}}  class"]
    lines += [f"{name:{longest}}  {share:>{width}}  {class_}" for name, share, class_ in rows]
    if len(rows) > 1:
        counts = collections.Counter(p.class_ for p in predictions)
        sums = ", ".join(f"{number:,} {name}" for name, number in counts.most_common())
        lines.append(f"{len(rows):,} pictures: {sums}")
    return lines


def predictions_to_csv(predictions: Sequence[Prediction]) -> str:
    """Write predictions as CSV (RFC 4180), with a first line of names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(predictions)
    return text.getvalue().removesuffix("\n")
