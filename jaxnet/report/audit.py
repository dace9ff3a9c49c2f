"""Describe an audit in sentences: each problem, its meaning, and what to do."""

from collections.abc import Iterator

from jaxnet.evaluation.audit import Audit
from jaxnet.report.words import count, some


def describe_findings(audit: Audit) -> list[str]:
    """Describe what can mislead about a data set, a sentence each; none if nothing can."""
    return [
        *_describe_pairs(audit),
        *_describe_constant(audit),
        *_describe_skew(audit),
        *_describe_brightness(audit),
    ]


def describe_brightness(audit: Audit) -> str:
    """Say how well brightness alone predicts the classes, whether or not that is a finding."""
    accuracies = audit.brightness.accuracies.items()
    scores = ", ".join(f"{share:.1%} of {name}" for name, share in accuracies)
    return f"brightness alone, one threshold on the mean grey, predicts {scores} correctly"


def _describe_pairs(audit: Audit) -> Iterator[str]:
    pairs, leaks = audit.pairs, len(audit.leaks)
    if leaks:
        across = [p for p in pairs if (p.first.split, p.second.split) == ("train", "test")]
        yield (
            f"{count(leaks, 'test picture')} {'is' if leaks == 1 else 'are'} also in the training "
            f"set ({some(across)}): a network that has memorised its training pictures scores too "
            "high; leave them out with --exclude-leaks"
        )
    held_out = [
        pair for pair in pairs if [pair.first.split, pair.second.split].count("validation") == 1
    ]
    if held_out:
        yield (
            f"{count(len(held_out), 'pair')} of duplicates {_have(len(held_out))} one picture in "
            f"the validation set and one in another split ({some(held_out)}): a choice by the "
            "validation score favours what was memorised; keep one of each"
        )
    within = [pair for pair in pairs if pair.first.split == pair.second.split]
    if within:
        yield (
            f"{count(len(within), 'pair')} of duplicates within a split ({some(within)}): such a "
            "picture counts more than once; keep one of each"
        )
    labels = [pair for pair in pairs if pair.two_labels]
    if labels:
        yield (
            f"{count(len(labels), 'pair')} of duplicates {_have(len(labels))} two labels "
            f"({some(labels)}): no network can predict both; correct the labels"
        )


def _describe_constant(audit: Audit) -> Iterator[str]:
    constant = audit.constant
    if constant:
        yield (
            f"{count(len(constant), 'picture')} {_have(len(constant))} the same grey everywhere "
            f"({some(constant)}): such a picture shows nothing; remove it"
        )


def _describe_skew(audit: Audit) -> Iterator[str]:
    skew = audit.skew
    shares = {
        name: f'{skew.shares[name]:.0%} of {name} is "{label}"'
        for name, label in skew.more_frequent.items()
    }
    if skew.skewed:
        yield (
            f"{shares['train']}: always predicting it has this accuracy; weight both classes alike "
            "(jaxnet train --balanced)"
        )
    if skew.differs:
        yield (
            f"{shares['train']}, but {shares['test']} (p = {skew.p_alike:.0e}): the skew "
            f"{'is reversed' if skew.reversed else 'differs'} between the splits, so the test "
            "accuracy says little; draw both splits from all pictures at random"
        )


def _describe_brightness(audit: Audit) -> Iterator[str]:
    brightness = audit.brightness
    if brightness.predictive:
        frequent, share = audit.skew.more_frequent["train"], audit.skew.shares["train"]
        scores = ", ".join(
            f"{share:.0%} of {name}" for name, share in brightness.accuracies.items()
        )
        yield (
            f'brightness alone ("{brightness.brighter}" is brighter) predicts {scores} correctly, '
            f'always "{frequent}" {share:.0%} of train: a '
            "network may learn the brightness instead of the object; take pictures of both classes "
            "in the same light"
        )


def _have(number: int) -> str:
    return "has" if number == 1 else "have"
