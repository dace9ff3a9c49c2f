"""Which of the usual levers helps the article's network with pictures that it has not seen?

Colour, mirrored pictures, weight decay, early stopping, more or fewer units, He weights, another
pixel scale, balanced classes, an ensemble, and several together are each measured on the same five
folds of the training pictures, two times divided and from four seeds, against the article's
setting. What counts is the balanced accuracy, of which every constant answer has 50 %. Each lever
has one p-value, by a paired sign-flip test, adjusted for all levers. The claim holds if one of them
is better than the article's setting, and better than a constant answer, beyond chance
(docs/improve.md). The test pictures take no part.

    python -m experiments.what_helps

Expect no on the drawn cats: the article's setting has 79.0 %, the best lever 80.1 % (balanced
classes; p = 1 for eleven levers), and fewer units and early stopping cost 4 and 8 points. On the
article's cats (`--data catvnoncat`) expect no as well: the setting has 50.8 %, the best lever
56.4 % (together, p = 0.6), and neither is better than a constant answer beyond chance. It takes a
minute.
"""

from experiments import Result, at_least, run
from jaxnet import Settings, improve, load_dataset, plot_improvement

CLAIM = "One of the usual levers helps with unseen pictures."


def main(
    data: str = "sketches",
    folds: int = 5,
    repeats: int = 2,
    seeds: int = 4,
    iterations: int = 2500,
) -> Result:
    """Measure every lever that can be trained in the span of the pictures."""
    at_least(2, folds=folds)
    at_least(1, repeats=repeats, seeds=seeds, iterations=iterations)
    settings = Settings(iterations=iterations)
    result = improve(
        load_dataset(data), settings, folds=folds, repeats=repeats, seeds=seeds, quick=True
    )
    levers = sorted(result.levers, key=lambda measured: -measured.difference.value)
    for measured in (result.base, *levers):
        mark = " ✓" if measured.recommended else ""
        share, difference = measured.balanced_accuracy.value, measured.difference.value
        print(
            f"{measured.lever.name:16}{share:8.1%}{100 * difference:+8.1f} points   "
            f"p = {measured.p_holm:.3f}{mark}"
        )
    best = levers[0] if result.best is None else result.best
    numbers = {
        "the best lever": best.lever.name,
        "its balanced accuracy": best.balanced_accuracy.value,
        "that of the article's setting": result.base.balanced_accuracy.value,
        "the difference": best.difference.value,
        "its p-value, for all levers": best.p_holm,
        "p-value against a constant answer": best.p_constant,
        "levers that help": ", ".join(m.lever.name for m in levers if m.recommended) or "none",
        "differences": {m.lever.name: m.difference.value for m in levers},
    }
    figure = plot_improvement(result, title=f"{CLAIM[:-1]} ({data}).")
    return Result(CLAIM, result.best is not None, numbers, figure)


if __name__ == "__main__":
    run(main)
