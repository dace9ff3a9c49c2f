"""The limits of a network, as its own data, scores and training show them, a sentence each."""

from collections.abc import Iterator, Sequence

from jaxnet.evaluation.audit import Audit
from jaxnet.evaluation.evaluate import Evaluation, SplitEvaluation
from jaxnet.report.evaluation import describe_baseline, describe_comparison
from jaxnet.report.words import count
from jaxnet.runs.run import Run

# Half the width of an accuracy's interval, and the drop from train to test, that are worth a word.
WIDE, DROP = 0.05, 0.1

OUTCOMES = {
    "slow": "its training had not reached the cost of guessing",
    "plateau": "its training ended at the cost of guessing",
    "diverged": "its training diverged",
    "dead": "no hidden unit reacts to any training picture",
    "not finite": "its training ended with numbers that are not finite; these are from before",
    "stopped": "its training was stopped before its end",
    "unfinished": "its training has not ended",
}


def describe_limits(
    run: Run, evaluation: Evaluation, audited: Audit, scorings: Sequence[str] = ()
) -> list[str]:
    """List what limits the use of a network and the trust in its scores.

    Args:
        run: The run.
        evaluation: Of the run, on its data or others.
        audited: The audit of the same data.
        scorings: What has scored the test set.
    """
    return [
        *_of_training(run, evaluation),
        *_of_scores(evaluation),
        *_of_data(audited, scorings),
        *_of_pictures(run),
    ]


def _of_training(run: Run, evaluation: Evaluation) -> Iterator[str]:
    if run.settings is not None and run.outcome in OUTCOMES:
        yield f"The outcome of the training is {run.outcome}: {OUTCOMES[run.outcome]}."
    if evaluation.same_data_as_in_training is None:
        yield (
            "It is not known on which pictures it was trained; those that score it here may be "
            "among them."
        )
    elif not evaluation.same_data_as_in_training:
        yield (
            "The pictures that score it here are not those of its training; some of these may be "
            "in either split."
        )
    if run.members:
        yield (
            f"Its probability is the mean of those of {len(run.members)} networks, which differ in "
            "their seeds; other seeds score differently."
        )
    elif run.settings is not None:
        yield f"It is one network of one seed ({run.settings.seed}); other seeds score differently."


def _of_scores(evaluation: Evaluation) -> Iterator[str]:
    held_out = next((n for n in ("test", "validation") if n in evaluation.splits), None)
    if held_out is None:
        yield "There is no test set: how it does on pictures that it has not seen is unknown."
        return
    if held_out == "validation":
        yield "There is no test set; the validation set may have chosen the weights."
    split = evaluation.splits[held_out]
    right, low, high = split.accuracy
    half = (high - low) / 2
    if half > WIDE:
        yield (
            f"The {held_out} set has {count(split.pictures, 'picture')}, which is few: the "
            f"accuracy of {right:.0%} only shows that it is between {low:.0%} and {high:.0%}."
        )
    yield from _of_baselines(held_out, split)
    train = evaluation.splits["train"]
    if train.seen_in_training and train.accuracy.value - right > DROP:
        yield (
            f"It predicts {train.accuracy.value:.0%} of its training pictures correctly, and "
            f"{right:.0%} of {held_out}: it has memorised a part of them."
        )


def _of_baselines(name: str, split: SplitEvaluation) -> Iterator[str]:
    constant = split.baselines["hindsight"]
    if split.accuracy.low <= constant.accuracy.value:
        yield (
            f'Always answering "{constant.always}" is right on {constant.accuracy.value:.0%} of '
            f"{name}; the network is not shown to be better."
        )
    if split.mcnemar.verdict != "better":
        tested = describe_baseline(split.tested_baseline, split.baselines[split.tested_baseline])
        yield f"On {name} it is {describe_comparison(split.mcnemar, tested)}."


def _of_data(audited: Audit, scorings: Sequence[str]) -> Iterator[str]:
    leaks = len(audited.leaks)
    if leaks:
        yield (
            f"{count(leaks, 'test picture')} {'is' if leaks == 1 else 'are'} also in the training "
            "set, so the test scores are too high."
        )
    if audited.brightness.predictive:
        yield "Brightness alone tells the classes apart in train; it may have learned that."
    if audited.skew.differs:
        yield "The shares of the classes differ between train and test."
    if len(scorings) > 1:
        yield (
            f"The test set was scored {len(scorings):,} times; whatever was chosen by it makes its "
            "scores too high."
        )


def _of_pictures(run: Run) -> Iterator[str]:
    how = run.preprocessing
    grey = ", and no colour" if how.color == "gray" else ""
    yield (
        f"It sees {how.height} × {how.width} pixels{grey}: no finer detail. Pictures are "
        "stretched, so shapes depend on the format."
    )
    yield (
        f'It knows two classes and answers for every picture, also for one that shows neither "'
        f'{run.classes[1]}" nor "{run.classes[0]}".'
    )
    if run.data_source is not None and run.data_source.data == "sketches":
        yield "It was trained on drawings only; photographs are other pictures to it."
