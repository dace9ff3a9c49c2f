"""One file, one question about a claim; run one with `python -m experiments.NAME`."""

from typing import NamedTuple


class Result(NamedTuple):
    """What an experiment answers.

    Attributes:
        claim: The claim, as one sentence.
        holds: Whether it holds, by the numbers.
        numbers: The numbers that decide, by name.
    """

    claim: str
    holds: bool
    numbers: dict[str, float]
