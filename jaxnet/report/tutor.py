"""What the tutor says: a hint, and on request the answer."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from jaxnet.evaluation.tutor.check import Tutoring
from jaxnet.evaluation.tutor.hand_in import HandIn
from jaxnet.evaluation.tutor.judge import Deviation
from jaxnet.report.json import to_json

FORMULAS = {
    "dA2": "dA2 = −Y/A2 + (1−Y)/(1−A2)",
    "dZ2": "dZ2 = A2 − Y",
    "dW2": "dW2 = dZ2 A1ᵀ / m",
    "db2": "db2 = Σ dZ2 / m",
    "dA1": "dA1 = W2ᵀ dZ2",
    "dZ1": "dZ1 = dA1 ∘ g′(Z1)",
    "dW1": "dW1 = dZ1 Xᵀ / m",
    "db1": "db1 = Σ dZ1 / m",
    "Z1": "Z1 = W1 X + b1",
    "A1": "A1 = g(Z1)",
    "Z2": "Z2 = W2 A1 + b2",
    "A2": "A2 = 1 / (1 + exp(−Z2))",
    "cost": "cost = −Σ (Y log A2 + (1−Y) log(1−A2)) / m",
    "W1": "W1 − α dW1",
    "b1": "b1 − α db1",
    "W2": "W2 − α dW2",
    "b2": "b2 − α db2",
    "costs": "costs[t] = the cost before update t",
}
SHAPES = {
    "Z1": "(n_h, m)",
    "A1": "(n_h, m)",
    "Z2": "(1, m)",
    "A2": "(1, m)",
    "W1": "(n_h, n_x)",
    "b1": "(n_h, 1)",
    "W2": "(1, n_h)",
    "b2": "(1, 1)",
    "cost": "(), one number",
}

_SIZE = "look at the factors: is this a mean over the m examples, once?"
_SIGN = "look at the signs"
_LABELS = "look at the terms with Y and 1 − Y: what is left where Y is 1, and where it is 0?"
_COST = "look at the cost: of which cost is this the derivative?"
_SLOPE = "look at the slope: of which function is it, and at which value is it taken?"
_TRANSPOSE = "look at the shapes of the factors, and which of them is transposed"
_PRODUCT = "look at the product: which elements are multiplied, and what is summed?"
_SUM = "look at the sum: over which axis is it, and which shape has the result?"
_OPERANDS = "look at which quantities stand in the formula"
_ACTIVATION = "look at the activation: which function is applied, and to what?"
_BIAS = "look at the bias"
_STEP = "look at the step: what is subtracted from what?"
_LOGARITHM = "look at the logarithms: which are taken, and of what?"
_LOOP = "look at the loop: what is computed anew in each iteration, and what is carried over?"
_COUNT = "count the iterations, and the costs: costs[t] is the cost before update t"
_NOTHING = "compute it for one example by hand, and compare"

# The hint and the answer, by the code of the slip.
SLIPS = {
    "no 1/m": (_SIZE, "the division by m is missing"),
    "1/m twice": (_SIZE, "it is divided by m twice"),
    "1/m too early": (_SIZE, "it is divided by m here, and again in dW and db"),
    "another number for m": (
        _SIZE,
        "it is divided by another number than m: the examples are the columns, m = X.shape[1]",
    ),
    "costs times m": (_SIZE, "the costs are the sums of the losses, not their means"),
    "factor": (
        "look at its size: it is a multiple of the right one",
        "it is {factor:.4g} times the right one, whatever m is. If that is the learning rate, "
        "leave it to the update",
    ),
    "sign": (_SIGN, "the sign is wrong: it is minus the right one"),
    "sign, no 1/m": (f"{_SIGN} and the factors", "the sign is wrong, and no 1/m is in it"),
    "second term's sign": (_SIGN, "one of the two terms has the wrong sign"),
    "sign and slope": (
        f"{_SIGN}; and look at what dZ2 is with the cross-entropy",
        "the sign is wrong, and the sigmoid's slope A2 (1−A2) is in it, which cancels in dA2",
    ),
    "a term left out": (_LABELS, "one of the two terms, of Y and of 1 − Y, is missing"),
    "Y and 1 − Y swapped": (_LABELS, "Y and 1 − Y are swapped"),
    "no label": (_LABELS, "Y is not subtracted"),
    "plus Y": (_LABELS, "Y is added instead of subtracted"),
    "squared error": (_COST, "it belongs to the squared error, not to the cross-entropy"),
    "the loss itself": (_COST, "it is the loss itself, not its derivative"),
    "absolute": (_SIGN, "it is the absolute value, which loses the sign"),
    "rounded": (_OPERANDS, "the probability is rounded to 0 or 1; the formula needs it unrounded"),
    "not finite": (
        "look for a division by 0, or a logarithm of 0 or of a negative number",
        "it holds NaN or infinity",
    ),
    "transposed": (_TRANSPOSE, "it is the transpose of the right one"),
    "transposed, no 1/m": (_TRANSPOSE, "it is the transpose of the right one, times m"),
    "element by element": (_PRODUCT, "it is multiplied element by element (*): @ is needed"),
    "matrix product": (_PRODUCT, "it is a matrix product (@): element by element (*) is needed"),
    "not summed": (_SUM, "it is not summed over the examples"),
    "wrong axis": (_SUM, "it is summed over axis 0; the examples are axis 1"),
    "summed over all": (_SUM, "it is summed over all elements; sum over axis 1 only"),
    "one example only": (_SUM, "it is that of the first example only"),
    "zero": ("look whether it is computed at all", "it is 0"),
    "missing": ("look at what is returned", "it is not returned"),
    "W2 left out": (_OPERANDS, "W2 is left out: dZ2 is passed back without its weights"),
    "slope left out": (_SLOPE, "the slope of the activation is left out"),
    "slope at A1, not Z1": (_SLOPE, "the slope is taken at A1; it belongs at Z1"),
    "slope at A2, not Z2": (
        _SLOPE,
        "the sigmoid's slope is computed of the wrong quantity: it is A2 (1−A2), which is σ′(Z2)",
    ),
    "slope at dA1, not Z1": (_SLOPE, "where dA1 > 0 is asked; ask where Z1 > 0"),
    "slope's sign": (_SIGN, "the sign is wrong: it is minus the right one"),
    "slope inverted": (_SLOPE, "it is 0 where Z1 > 0 and passed on elsewhere: the other way round"),
    "slope of sigmoid": (_SLOPE, "it is the slope of the sigmoid, not of this activation"),
    "slope of tanh": (_SLOPE, "it is the slope of tanh, not of this activation"),
    "slope of ReLU": (_SLOPE, "it is the slope of ReLU, not of this activation"),
    "slope of leaky ReLU": (_SLOPE, "it is the slope of leaky ReLU, not of this activation"),
    "slope of the other layer": (_SLOPE, "it is the slope of the other layer"),
    "slope twice": (
        _SLOPE,
        "the slope is in it twice; A2 − Y holds it already (with the squared error, it is needed)",
    ),
    "activation for its slope": (_SLOPE, "it is multiplied by g(Z1) instead of the slope g′(Z1)"),
    "bias left out": (_BIAS, "the bias is not added"),
    "bias subtracted": (_BIAS, "the bias is subtracted"),
    "bias twice": (_BIAS, "the bias is added twice"),
    "activation left out": (_ACTIVATION, "the activation is left out"),
    "sigmoid": (_ACTIVATION, "it is the sigmoid, not this activation"),
    "tanh": (_ACTIVATION, "it is tanh, not this activation"),
    "ReLU": (_ACTIVATION, "it is ReLU, not this activation"),
    "leaky ReLU": (_ACTIVATION, "it is leaky ReLU, not this activation"),
    "softmax": (_ACTIVATION, "it is softmax; one output has the sigmoid"),
    "min for max": (_ACTIVATION, "it is min(0, Z1); ReLU is max(0, Z1)"),
    "slope for the activation": (_ACTIVATION, "it is the slope of the activation, not itself"),
    "exponent's sign": (_SIGN, "the exponent has the wrong sign: exp(−Z2)"),
    "sigmoid twice": (_ACTIVATION, "the sigmoid is applied twice"),
    "parentheses": (
        "look at the order of the operations: what is computed first?",
        "it is 1 + exp(−Z2): the denominator needs parentheses, 1 / (1 + exp(−Z2))",
    ),
    "minus in the denominator": (_SIGN, "the denominator is 1 − exp(−Z2) instead of 1 + exp(−Z2)"),
    "factors swapped": (_PRODUCT, "the factors of the product are in the wrong order"),
    "not averaged": (_SIZE, "it is the loss of each example, not their mean"),
    "log₂ or log₁₀": (_LOGARITHM, "the logarithm is log₂ or log₁₀: np.log is needed"),
    "no logarithm": (_LOGARITHM, "the logarithms are left out"),
    "1 + A2 for 1 − A2": (_LOGARITHM, "1 + A2 stands where 1 − A2 belongs"),
    "step added": (_STEP, "the step is added instead of subtracted"),
    "step added, rate left out": (_STEP, "the gradient is added, and without the learning rate"),
    "rate left out": (_STEP, "the learning rate is left out"),
    "not updated": (_STEP, "it is not updated"),
    "the step only": (_STEP, "it is the step α d alone, not subtracted from the parameter"),
    "1/m again": (_STEP, "the gradient is divided by m again, which it is already"),
    "divided by the rate": (_STEP, "the gradient is divided by the learning rate"),
    "rate squared": (_STEP, "the learning rate is in it twice"),
    "rate times the parameter": (_STEP, "the parameter itself is taken for its gradient"),
    "updated twice": (_STEP, "it is updated twice"),
    "always the first": (
        _LOOP,
        "every cost is the first one: what the update returns is not kept (params = …), or the "
        "forward pass stands before the loop",
    ),
    "not kept": (_LOOP, "it is the first one: what the update returns is not kept (params = …)"),
    "begins anew": (_LOOP, "each update begins at the first params instead of the current ones"),
    "before the loop": (
        _LOOP,
        "the forward pass or the gradient stands before the loop, and stays as it was",
    ),
    "W2 updated too early": (
        _LOOP,
        "W2 is updated before dA1 is computed, which needs the W2 of the forward pass",
    ),
    "one iteration more": (_COUNT, "there is one iteration too many"),
    "one iteration less": (_COUNT, "there is one iteration too few"),
    "costs after the update": (_COUNT, "they are the costs after the updates"),
    "one cost more": (_COUNT, "there is one cost too many, that after the last update"),
    "the last cost only": (_COUNT, "it is the last cost alone"),
    "changed in place": (
        "look at what the function does to its inputs",
        "the function changes it in place (-=, *=, [...] =): copy it, or compute a new array",
    ),
    "not filled in": ("write it in place of ...", "it is still to be written"),
    "returns nothing": ("end the function with return", "it returns None, or ... alone"),
    "cancels": (
        "look at it together with the one before it",
        "it is right, though what it is computed from is wrong: two deviations cancel",
    ),
    "shape": (_TRANSPOSE, "its shape is {shape} instead of {expected}; none of the usual slips"),
    "value": (_NOTHING, "its shape is right and its numbers are wrong; none of the usual slips"),
    "raises": ("look at the line, and at the shapes of its operands", "the error says why"),
}

ENDED = {
    "time": "it did not end within its time; look for a loop without an end",
    "memory": "it needs more memory than it may take",
    "output": "it prints more than 64 KiB, or returns more than a gradient",
    "exit": "it ends the program (exit) before it returns",
    "file": "it writes into a file, which is not allowed here",
    "signal": "its process crashed",
    "raised": "it raises an error when it is imported",
    "refused": "it holds no function that can be checked, or one that returns something else",
}


def hint_and_answer(deviation: Deviation) -> tuple[str, str]:
    """Return the hint and the answer for a deviation."""
    slip = deviation.slip
    if slip in SLIPS:
        hint, answer = SLIPS[slip]
        shape = SHAPES.get(deviation.quantity.removeprefix("d"))
        if slip == "not filled in" and shape is not None:
            hint = f"write the formula of {deviation.quantity}, whose shape is {shape}"
    elif " for " in slip:
        wrong, right = slip.split(" for ")
        hint, answer = _OPERANDS, f"{wrong} stands where {right} belongs"
    else:
        wrong, right = slip.split(", not ")
        hint, answer = _TRANSPOSE, f"{wrong} stands where {right} belongs"
    return hint, answer.format(**deviation._asdict())


def describe_tutoring(result: Tutoring, answer: bool = False) -> list[str]:
    """Describe what is wrong, in lines: a hint for the first deviation, or all answers."""
    lines = []
    if result.raised is not None:
        raised = result.raised
        where = f" in line {raised.line}: {raised.code}" if raised.line else ""
        lines.append(f"it raises {raised.kind}{where}")
        lines.append(f"  {raised.message}")
    if result.right:
        checked = ", ".join(result.returned)
        agree = "agree" if len(result.returned) > 1 else "agrees"
        lines.append(f"right: {checked} {agree} with the formulas on every problem")
        return lines + _of_shapes(result)
    first, *further = _grouped(result.deviations)
    for names, deviation in [first, *further] if answer else [first]:
        lines += _describe(names, deviation, answer, shown=result.raised is None)
    blank = [names for names, deviation in further if deviation.slip == "not filled in"]
    count = sum(len(names) for names, _ in further) - sum(map(len, blank))
    if count and not answer:
        lines.append(f"{count} more {'is' if count == 1 else 'are'} wrong; begin with this one")
    if blank and not answer:
        lines.append(f"{', '.join(blank[0])}: not filled in yet")
    wrong = {*result.consistent, *(each.quantity for each in result.deviations)}
    right = [name for name in result.returned if name not in wrong]
    if right and result.deviations[-1].slip == "not filled in":
        lines.append(f"right so far: {', '.join(right)}")
    if result.consistent:
        lines.append(f"{', '.join(result.consistent)}: wrong only because of what precedes")
    return lines + _of_shapes(result)


def _grouped(deviations: Sequence[Deviation]) -> list[tuple[list[str], Deviation]]:
    """Put quantities with the same slip together, in the order of the first of each."""
    groups: dict[Any, tuple[list[str], Deviation]] = {}
    for each in deviations:
        of_shape = each.slip == "shape"
        factor = None if each.factor is None else f"{each.factor:.4g}"  # apart by rounding
        key = (each.slip, each.returned, each.shape if of_shape else None, factor)
        groups.setdefault(key, ([], each))[0].append(each.quantity)
    return list(groups.values())


def _describe(names: list[str], deviation: Deviation, answer: bool, shown: bool) -> list[str]:
    told = ", ".join(names) or "a line of it"
    verb = "are" if len(names) > 1 else "is"
    if deviation.slip == "raises":
        lines = [f"{told}: cannot be computed"]
    elif deviation.slip == "cancels":
        lines = [f"{told}: right, by two deviations"]
    elif deviation.slip == "missing":
        lines = [f"{told} {verb} missing"]
    elif deviation.slip == "not filled in":
        lines = [f"{told} {verb} not filled in yet"]
    elif deviation.slip == "returns nothing":
        lines = ["the function returns nothing yet"]
    elif deviation.slip == "changed in place":
        lines = [f"{told} {verb} changed in place"]
    else:
        lines = [f"{told} {verb} wrong"]
        if shown and not deviation.returned:
            lines[0] += " (not returned: what follows shows it)"
    hint, full = hint_and_answer(deviation)
    lines.append(f"  answer: {full}" if answer else f"  hint: {hint}")
    known = [FORMULAS[name] for name in names if name in FORMULAS]
    if answer and known and deviation.slip != "changed in place":
        lines.append(f"  formula: {'; '.join(known)}")
    return lines


def _of_shapes(result: Tutoring) -> list[str]:
    if not result.flat:
        return []
    names = ", ".join(result.flat)
    return [
        f"{names}: of shape (n,), accepted; b − α db then needs the shape (n, 1): keepdims=True"
    ]


def describe_hand_in(hand_in: HandIn, answer: bool = False) -> list[str]:
    """Describe what came of a file, in lines."""
    if hand_in.result is not None:
        return describe_tutoring(hand_in.result, answer)
    lines = [f"not judged: {ENDED[hand_in.ended]}"]
    if hand_in.refused is not None:
        found, expected, remedy = hand_in.refused
        lines += [f"  {found}", f"  expected: {expected}", f"  to do:    {remedy}"]
    if hand_in.raised is not None:
        where = f" in line {hand_in.raised.line}" if hand_in.raised.line else ""
        message = f": {hand_in.raised.message}" if hand_in.raised.message else ""
        lines.append(f"  {hand_in.raised.kind}{where}{message}")
    return lines


def hand_ins_table(hand_ins: Sequence[HandIn]) -> Table:
    """Make the table of several files: who, which quantity, which slip."""
    table = Table()
    for heading in ("file", "quantity", "slip"):
        table.add_column(heading)
    for each in hand_ins:
        if each.result is None:
            table.add_row(each.path, "", f"not judged: {each.ended}")
        elif each.result.right:
            table.add_row(each.path, "", "right")
        else:
            rows = _grouped(each.result.deviations)
            quantities = "\n".join(", ".join(names) for names, _ in rows)
            table.add_row(each.path, quantities, "\n".join(one.slip for _, one in rows))
    return table


def tutoring_to_json(hand_in: HandIn) -> dict[str, Any]:
    """Turn what came of a file into what JSON holds, with the hint and the answer."""
    made: dict[str, Any] = to_json(hand_in)
    if hand_in.result is not None:
        made["right"] = hand_in.result.right
        for one, deviation in zip(
            made["result"]["deviations"], hand_in.result.deviations, strict=True
        ):
            one["hint"], one["answer"] = hint_and_answer(deviation)
    return made
