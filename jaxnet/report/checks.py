"""The doctor's checks for people: what each result is, what it means, and what to do about it.

The texts stand in three tables, by the name of a check and the case of its result. Braces are
filled with `case`, `number` and the further values of the check.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from jaxnet.evaluation.doctor.check import Check, Verdict
from jaxnet.report.json import to_json

COLORS: dict[Verdict, str] = {"pass": "green", "warn": "yellow", "fail": "bold red"}


class CheckText(NamedTuple):
    """A check in words.

    Attributes:
        found: What was measured.
        meaning: What it means.
        remedy: What to do about it; empty if it passes.
    """

    found: str
    meaning: str
    remedy: str


_DIFFERENCE = "{number:.1e}, at most {bound:.0e}"
_UNITS = "{number:,.0f} of {units:,}"

# What was measured, by name; or by name and case, where one case needs other words.
FOUND: dict[str | tuple[str, str], str] = {
    "derivatives three ways": _DIFFERENCE,
    "first cost": "cost {number:.4f}, ln 2 is 0.6931",
    "two pictures": "cost {number:.4f}, at most {bound:g}",
    "blank pictures": "cost {number:.4f}, label entropy {entropy:.4f}",
    "shuffled labels": "AUC {number:.2f} over {shuffles} shuffles, {low:.2f}–{high:.2f} by chance",
    "permuted hidden units": _DIFFERENCE,
    "ReLU rescaling": _DIFFERENCE,
    "duplicated data": _DIFFERENCE,
    "columns of weight zero": _DIFFERENCE,
    "span equals pixels": _DIFFERENCE,
    "jit equals no jit": _DIFFERENCE,
    "float32 against float64": _DIFFERENCE,
    "finite numbers": "all of them",
    ("finite numbers", "parameters"): "not finite: {parameters}",
    ("finite numbers", "costs"): "the cost at iteration {iteration:,} is {cost}",
    ("finite numbers", "parameters and costs"): (
        "not finite: {parameters}; the cost at iteration {iteration:,} is {cost}"
    ),
    ("finite numbers", "stopped"): (
        "training ended after {iterations:,} iterations, at a number that was not finite"
    ),
    ("finite numbers", "stored"): "a parameter is not finite",
    "what is learnt": "{case}: cost {number:.4f}, label entropy {entropy:.4f}",
    "dead hidden units": _UNITS,
    "always-on hidden units": _UNITS,
    "saturated hidden units": _UNITS,
    "duplicated hidden units": _UNITS,
    "update to weight": "W1 {W1:.0e}, W2 {W2:.0e}",
    "steps that raised the cost": "{number:,.0f} of {steps:,} ({share:.1%})",
    "sharpness": "λ = {number:.3g}, stable below {limit:.3g}",
    ("sharpness", "not computed"): "λ could not be computed",
    "train–test gap": "{train:.0%} − {test:.0%} = {number:z.0%} [{low:z.0%} to {high:z.0%}]",
}

_NOT_FINITE = (
    "a cost or a parameter is not a finite number: the steps grew until they overflowed, or NaN "
    "was in the pictures",
    "train again with a smaller --learning-rate or --pixel-scale symmetric",
)
_MORE_STEPS = "take more --iterations or a larger --learning-rate"

# By name and case, what it means and what to do about it.
MEANINGS: dict[str, dict[str, tuple[str, str]]] = {
    "derivatives three ways": {
        "ok": (
            "formulas, jax.grad and finite differences agree on all eight derivatives, for each "
            "activation",
            "",
        ),
        "formulas": (
            "the formula of {formulas} is not the derivative that finite differences of the cost "
            "give",
            "in this formula look for a sign, a missing 1/m or sum, a missing transpose, or a "
            "slope taken at A1 instead of Z1; if all of dW and db are wrong, look at the loss; "
            "inf stands for another shape (sums keep their axis: db1 is (n_h, 1)), or for a "
            "number that is not finite",
        ),
        "gradients": (
            "jax.grad of the loss by {gradients} is not the derivative that finite differences "
            "of the cost give",
            "in the loss look for stop_gradient, a custom derivative, or an operation whose "
            "derivative is NaN or 0 here",
        ),
        "both": (
            "neither the formula of {formulas} nor jax.grad of the loss by {gradients} is the "
            "derivative that finite differences of the cost give",
            "begin with the loss: it may be discontinuous, or be computed in lower precision",
        ),
    },
    "first cost": {
        "ok": ("with tiny weights each picture is predicted as ½, at the cost ln 2", ""),
        "off": (
            "with tiny weights each picture should be predicted as ½, at the cost ln 2",
            "look for a sum in place of the mean, another base of the logarithm, biases that do "
            "not start at 0, or weights larger than weight_scale",
        ),
    },
    "two pictures": {
        "ok": ("one picture of each class is memorised", ""),
        "off": (
            "one picture of each class is not memorised: training does not minimise its cost",
            "check that the step goes downhill (W − α dW), that every parameter is updated, and "
            "that X and Y are in the same order",
        ),
    },
    "blank pictures": {
        "ok": ("from pictures that are all alike only the class rate is learnt", ""),
        "below": (
            "pictures that are all alike are told apart: the label reaches the network by another "
            "way",
            "look for the label in X",
        ),
        "above": (
            "from pictures that are all alike not even the class rate is learnt",
            "check that b2 is updated, and that the labels enter the cost",
        ),
    },
    "shuffled labels": {
        "ok": ("labels assigned at random cannot be predicted for other pictures", ""),
        "off": (
            "labels assigned at random are predicted for other pictures: they reach the network "
            "by another way than as training labels",
            "look for the label in X, for test pictures in the training set, and for "
            "preprocessing that uses the labels",
        ),
    },
    "permuted hidden units": {
        "ok": ("the order of the hidden units does not change the output", ""),
        "off": (
            "the order of the hidden units changes the output",
            "look for a bias added along the wrong axis, or a unit that is computed differently",
        ),
    },
    "ReLU rescaling": {
        "ok": (
            "W1 and b1 times c with W2 divided by c is the same network: ReLU(c z) = c ReLU(z)",
            "",
        ),
        "off": (
            "W1 and b1 times c with W2 divided by c should be the same network, since "
            "ReLU(c z) = c ReLU(z)",
            "check that the activation is ReLU, and that b1 is added before it",
        ),
    },
    "duplicated data": {
        "ok": ("every example twice gives the same mean cost and the same gradient", ""),
        "off": (
            "every example twice should give the same mean cost and the same gradient",
            "look for a missing 1/m: the cost and its gradient are means over the examples",
        ),
    },
    "columns of weight zero": {
        "ok": ("examples of weight 0 change neither the cost nor its gradient", ""),
        "off": (
            "examples of weight 0 should change neither the cost nor its gradient",
            "check that w multiplies every example's loss, and that the sum is divided by Σ w, not "
            "by m",
        ),
    },
    "span equals pixels": {
        "ok": ("training in the span of the pictures makes the same steps as in pixels", ""),
        "off": (
            "training in the span of the pictures makes other steps than in pixels",
            "check that the gradient of C is dZ1, and that of b1 the sum of its rows; until then "
            "train with --basis pixels",
        ),
    },
    "jit equals no jit": {
        "ok": ("cost and gradient are the same compiled and not compiled", ""),
        "off": (
            "the cost or its gradient is different when compiled",
            "look for what a traced function must not do: draw from NumPy, or read or change a "
            "variable outside of it",
        ),
    },
    "float32 against float64": {
        "ok": ("float32 gives the numbers of float64 up to rounding", ""),
        "off": (
            "float32 differs from float64 by more than rounding explains",
            "look for products in TF32 or bfloat16, for log(A2) where the loss should be taken "
            "from Z2, and for weights drawn in float64",
        ),
    },
    "finite numbers": {
        "ok": ("every cost and parameter is a finite number", ""),
        "parameters": _NOT_FINITE,
        "costs": _NOT_FINITE,
        "parameters and costs": _NOT_FINITE,
        "stopped": _NOT_FINITE,
        "stored": _NOT_FINITE,
    },
    "what is learnt": {
        "learning": ("the cost is below that of always predicting the class rate", ""),
        "not finite": (
            "a cost or a parameter is not a finite number",
            "begin with the finite numbers",
        ),
        "dead": (
            "no hidden unit is active on any training picture: only the output bias still learns",
            "begin with the dead hidden units",
        ),
        "plateau": (
            "the cost is that of always predicting the class rate: the network has learnt nothing "
            "from the pictures but this rate",
            "take more --iterations, or a larger --learning-rate or --weight-scale; if hidden "
            "units are saturated or dead, begin with these",
        ),
        "slow at ln 2": (
            "the cost is still ln 2 = 0.6931, that of predicting ½ for each picture: not even the "
            "class rate is learnt yet",
            _MORE_STEPS,
        ),
        "slow": (
            "the cost has not yet come down to that of always predicting the class rate",
            _MORE_STEPS,
        ),
        "above": (
            "the cost is above that of always predicting the class rate",
            "train again, so that the model file holds the cost of each step",
        ),
        "diverged": (
            "the cost ended above its start, and above that of always predicting the class rate",
            "take a smaller --learning-rate: `jaxnet train` names one that learns",
        ),
    },
    "dead hidden units": {
        "ok": ("every unit is active on some training picture", ""),
        "some": (
            "these units are active on no training picture, so their gradient is 0: the network "
            "is effectively smaller",
            "train again with a smaller --learning-rate or --pixel-scale symmetric; units of "
            "--activation leaky_relu cannot die",
        ),
        "every": (
            "no unit is active on any training picture: the gradients of W1 and W2 are 0, and the "
            "prediction is the same for every picture",
            "train again with a smaller --learning-rate or --pixel-scale symmetric; units of "
            "--activation leaky_relu cannot die, and those of relu stay dead with "
            "--weight-scale 0",
        ),
    },
    "always-on hidden units": {
        "ok": ("every unit is inactive on some training picture", ""),
        "some": (
            "these units are active on every training picture, so they are linear: they add "
            "nothing to a network without hidden units",
            "--pixel-scale symmetric puts the pictures on both sides of 0; a smaller "
            "--learning-rate moves the units less",
        ),
        "every": (
            "all units are active on every training picture: the network is linear, a logistic "
            "regression",
            "--pixel-scale symmetric puts the pictures on both sides of 0; a smaller "
            "--learning-rate moves the units less",
        ),
    },
    "saturated hidden units": {
        "ok": ("every unit has a slope to learn by", ""),
        "some": (
            "on at least 9 of 10 training pictures these units are where the sigmoid is flat: "
            "their weights hardly change",
            "scale the pictures (--pixel-scale symmetric), start with a smaller --weight-scale, or "
            "take --activation relu",
        ),
        "every": (
            "on at least 9 of 10 training pictures every unit is where the sigmoid is flat: only "
            "the output layer learns",
            "scale the pictures (--pixel-scale symmetric), start with a smaller --weight-scale, or "
            "take --activation relu",
        ),
    },
    "duplicated hidden units": {
        "ok": ("no two units have the same weights", ""),
        "some": (
            "these units have the weights of another unit: the network is effectively smaller",
            "draw the initial weights at random (--weight-scale 0.01, or he), since equal units "
            "stay equal; if they became equal in training, take fewer --hidden-units",
        ),
        "every": (
            "all units have the same weights: the network is one unit",
            "draw the initial weights at random (--weight-scale 0.01, or he), since equal units "
            "stay equal; if they became equal in training, take fewer --hidden-units",
        ),
    },
    "update to weight": {
        "ok": ("the next step is small compared with the weights, and above rounding", ""),
        "whole": (
            "the next step changes a layer by more than the size of its weights",
            "take a smaller --learning-rate",
        ),
        "coarse": (
            "the next step changes a layer by more than a tenth of its weights: it has not settled",
            "take a smaller --learning-rate",
        ),
        "too small": (
            "the next step changes a layer by less than rounding: it no longer learns",
            "a dead or saturated layer needs another start, and too small a rate a larger "
            "--learning-rate; a network that has finished learning needs nothing",
        ),
    },
    "steps that raised the cost": {
        "ok": ("the cost falls from step to step", ""),
        "some": (
            "some steps overshoot the minimum: where the run ends depends on rounding",
            "take a smaller --learning-rate",
        ),
        "most": (
            "most steps raise the cost: the run moves away from the minimum",
            "take a smaller --learning-rate",
        ),
    },
    "sharpness": {
        "ok": ("the largest curvature λ allows this learning rate: the steps can settle", ""),
        "unstable": (
            "the largest curvature λ is too large for this learning rate: along its direction the "
            "steps overshoot",
            "take a smaller --learning-rate: here below {largest_rate:.2g}, and λ may still grow",
        ),
        "not computed": (
            "the second derivatives of the cost are not finite, or the computation of λ did not "
            "converge",
            "begin with the other checks that do not pass",
        ),
    },
    "train–test gap": {
        "ok": ("the difference is no larger than chance explains with so few pictures", ""),
        "overfit": (
            "the accuracy on the test set is lower by more than chance explains: the network "
            "overfits",
            "take more pictures, fewer --hidden-units or fewer --iterations; `jaxnet evaluate` "
            "gives the test accuracy with its interval",
        ),
    },
}  # fmt: skip

# Why a check does not apply, by the case of any check.
REASONS = {
    "leaky_relu": "the slope of leaky ReLU is never 0, so its units cannot die",
    "not piecewise linear": "only units of ReLU and leaky ReLU are linear above 0",
    "not sigmoid": "only sigmoid units have flat ends on both sides",
    "other training set": "these are not the training pictures of the run",
    "no test set": "there is no test set",
    "no costs": "the model file does not hold the cost of each step",
    "no active unit": "no hidden unit is active, so λ says nothing about a learning rate",
    "no settings": "the model file does not hold the learning rate",
    "not sgd": "{optimizer} scales the step of each weight, so α alone says little",
    "rate 0": "the learning rate is 0",
}

# Of any check of the pipeline: a function raised an error.
RAISED = CheckText(
    "{error}",
    "a function of the pipeline raised this error, so nothing could be measured",
    "call the function by itself on arrays of other sizes, and read the traceback",
)


def describe_check(check: Check) -> CheckText:
    """Describe the result of a check in words."""
    name, case = check.name, check.case
    if not check.applies:
        texts = CheckText("does not apply: " + REASONS[case], REASONS[case], "")
    elif case == "raised":
        texts = RAISED
    else:
        found = FOUND.get((name, case)) or FOUND[name]
        texts = CheckText(found, *MEANINGS[name][case])
    values = {key: _listed(value) for key, value in check.values.items()}
    return CheckText(*(text.format(case=case, number=check.number, **values) for text in texts))


def _listed(value: Any) -> Any:
    """Write a collection of names, or of counts by name, as a list in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{count:,} of {name}" for name, count in value.items())
    if isinstance(value, tuple):
        return ", ".join(value)
    return value


def check_to_json(check: Check) -> dict[str, Any]:
    """Turn a check into what JSON holds: its name, verdict, number, case, and its texts."""
    kept = {name: getattr(check, name) for name in ("name", "verdict", "number", "case")}
    result: dict[str, Any] = to_json(kept | describe_check(check)._asdict())
    return result


def checks_table(title: str, checks: Iterable[Check]) -> Table:
    """Make the table of some checks: verdict, name, and what was measured."""
    table = Table(title=title, title_justify="left")
    for heading in ("", "check", "measured"):
        table.add_column(heading)
    for check in checks:
        verdict = Text(check.verdict, style=COLORS[check.verdict])
        table.add_row(verdict, check.name, describe_check(check).found)
    return table


def problems(checks: Iterable[Check]) -> list[Text]:
    """Explain every check that does not pass: what it means, and what to do."""
    texts = []
    for check in checks:
        if check.verdict != "pass":
            _, meaning, remedy = describe_check(check)
            text = Text(f"{check.verdict}: {check.name}", style=COLORS[check.verdict])
            texts += [text, Text(f"  means: {meaning}\n  to do: {remedy}")]
    return texts


def count_verdicts(checks: Iterable[Check]) -> dict[Verdict, int]:
    """Count the checks of each verdict; those that do not apply pass."""
    verdicts = [check.verdict for check in checks]
    return {verdict: verdicts.count(verdict) for verdict in COLORS}


def checks_summary(checks: Iterable[Check]) -> Text:
    """Count in words how many checks passed, warned, failed, and did not apply."""
    checks = tuple(checks)
    counts = count_verdicts(checks)
    skipped = sum(not check.applies for check in checks)
    words = f"{counts['pass'] - skipped} passed, {counts['warn']} warned, {counts['fail']} failed"
    worst: Verdict = "fail" if counts["fail"] else "warn" if counts["warn"] else "pass"
    if skipped:
        words += f", {skipped} {'does' if skipped == 1 else 'do'} not apply"
    return Text(words, style=COLORS[worst])
