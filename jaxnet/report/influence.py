"""A leave-one-out in words: accuracies, memorised pictures, what explains a test picture."""

import statistics

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from jaxnet.evaluation.influence import ERROR_RATE, Influence, Memorised, PictureChange
from jaxnet.report.words import signed, with_outcomes

SHOWN = 5  # training pictures in a table


def describe_plan(pictures: int, seeds: int, iterations: int) -> str:
    """Say how many networks a leave-one-out trains."""
    return (
        f"(all {pictures} training pictures, and all but each of them) × {seeds} seeds = "
        f"{(pictures + 1) * seeds:,} networks of {iterations:,} iterations"
    )


def describe_leave_one_out(influence: Influence) -> list[RenderableType]:
    """Describe a leave-one-out whole: failures, accuracies, tables, and what noise is."""
    failures = describe_failures(influence)
    return [
        *([Text(failures, style="yellow")] if failures else []),
        *describe_influence(influence),
        memorisation_table(influence),
        *([influence_table(influence)] if influence.explained else []),
        describe_noise(influence),
    ]


def describe_failures(influence: Influence) -> str | None:
    """Say how many networks failed, so that the results say little; None if none did."""
    failed = influence.failed
    if not failed:
        return None
    return (
        f"{failed:,} of {sum(influence.outcomes.values()):,} networks failed, so the results below "
        "are unreliable: take another --learning-rate; jaxnet sweep shows which ones learn"
    )


def describe_influence(influence: Influence) -> list[str]:
    """Describe the outcomes of the networks, and the accuracies with and without each picture."""
    m, (share, low, high) = influence.left_out
    by_seed, always = influence.left_out_by_seed, influence.always
    seen = statistics.median_low(influence.seen_by_seed.tolist())
    return [
        with_outcomes(influence.outcomes),
        f"left out: {share * m:.0f}/{m} = {100 * share:.1f} % "
        f"[{100 * low:.1f}–{100 * high:.1f} %] of the training pictures are predicted correctly by "
        "networks trained without them; that is the median seed, all range from "
        f"{100 * by_seed.min():.1f} to {100 * by_seed.max():.1f} %",
        f'trained on: {100 * seen:.1f} %; always "{always.class_}" would score '
        f"{100 * always.accuracy:.1f} %",
    ]


def describe_noise(influence: Influence) -> str:
    """Say what a change is, and when it is called noise."""
    chosen = (
        ""
        if influence.named or not influence.explained
        else "; as the test pictures were chosen among all, the changes of all are covered"
    )
    return (
        "change: with the training picture minus without it, the mean over the seeds ± their "
        "standard deviation; noise if it is not larger than a bound for all changes of a table at "
        f"once (t test over {influence.seeds} seeds, by Bonferroni: of tables of pure chance, at "
        f"most one in {1 / ERROR_RATE:.0f} has a change that is not called noise{chosen})"
    )


def memorisation_table(influence: Influence) -> Table:
    """Tabulate the most memorised training pictures."""
    table = Table(title="most memorised: P of its own class", title_justify="left")
    for heading in ("picture", "class", "trained on", "left out", "change"):
        table.add_column(heading)
    for row in influence.memorisation[:SHOWN]:
        table.add_row(
            f"train {row.picture}",
            row.class_,
            f"{row.seen:.2f}",
            f"{row.left_out:.2f}",
            change_in_words(row),
        )
    return table


def influence_table(influence: Influence) -> Table:
    """Tabulate the training pictures that change the probability of each test picture most."""
    positive = influence.positive
    table = Table(title=f'what changes P("{positive}") of test pictures', title_justify="left")
    for heading in ("picture", "class", f'P("{positive}")', "by", "class", "change"):
        table.add_column(heading)
    for explained in influence.explained:
        first = (f"test {explained.picture}", explained.class_, f"{explained.probability:.2f}")
        for i, row in enumerate(explained.by[:SHOWN]):
            cells = first if i == 0 else ("", "", "")
            table.add_row(*cells, f"train {row.picture}", row.class_, change_in_words(row))
        table.add_section()
    return table


def change_in_words(row: PictureChange | Memorised) -> str:
    """Write a change with its spread, as "−0.15 ± 0.35 (noise)"."""
    noise = " (noise)" if row.noise else ""
    return f"{signed(row.change)} ± {row.spread:.2f}{noise}"
