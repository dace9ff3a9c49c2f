"""The formulas, and the usual slips in each: what a learner's function may have computed instead.

Each is a function of the letters of a problem, among which are the quantities computed before. A
slip may have several forms. Where a form cannot be computed with these shapes, NumPy raises.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxnet.evaluation.tutor.calling import PARAMS

L = dict[str, Any]
Formula = Callable[[L], Any]


class Quantity(NamedTuple):
    """A quantity: its formula, other formulas that are right, too, and its slips by code."""

    formula: Formula
    slips: tuple[tuple[str, Formula], ...]
    others: tuple[Formula, ...] = ()


def _slope_at_A2(v: L) -> Any:
    a = 1 / (1 + np.exp(-v["A2"]))
    return a * (1 - a)


def _slope2(v: L) -> Any:
    return v["A2"] * (1 - v["A2"])


def _one_class(v: L) -> Any:
    return np.where(v["Y"] == 1, -1 / v["A2"], 0.0)


def _other_class(v: L) -> Any:
    return np.where(v["Y"] == 1, 0.0, 1 / (1 - v["A2"]))


def _dA2(v: L) -> Any:
    return -v["Y"] / v["A2"] + (1 - v["Y"]) / (1 - v["A2"])


DA2 = Quantity(
    _dA2,
    (
        ("sign", lambda v: v["Y"] / v["A2"] - (1 - v["Y"]) / (1 - v["A2"])),
        ("second term's sign", lambda v: -v["Y"] / v["A2"] - (1 - v["Y"]) / (1 - v["A2"])),
        ("second term's sign", lambda v: v["Y"] / v["A2"] + (1 - v["Y"]) / (1 - v["A2"])),
        ("a term left out", _one_class),
        ("a term left out", _other_class),
        ("squared error", lambda v: v["A2"] - v["Y"]),
        ("squared error", lambda v: 2 * (v["A2"] - v["Y"])),
        ("Y and 1 − Y swapped", lambda v: -(1 - v["Y"]) / v["A2"] + v["Y"] / (1 - v["A2"])),
        ("the loss itself", lambda v: -np.log(np.where(v["Y"] == 1, v["A2"], 1 - v["A2"]))),
        ("1/m too early", lambda v: _dA2(v) / v["m"]),
    ),
)

DZ2 = Quantity(
    lambda v: v["A2"] - v["Y"],
    (
        ("sign", lambda v: v["Y"] - v["A2"]),
        ("no label", lambda v: v["A2"]),
        ("slope twice", lambda v: (v["A2"] - v["Y"]) * _slope2(v)),
        ("squared error", lambda v: 2 * (v["A2"] - v["Y"]) * _slope2(v)),
        ("sign and slope", lambda v: (v["Y"] - v["A2"]) * _slope2(v)),
        ("slope left out", lambda v: v["dA2"]),
        ("Z2 for A2", lambda v: v["Z2"] - v["Y"]),
        ("a term left out", lambda v: _one_class(v) * _slope2(v)),
        ("a term left out", lambda v: _other_class(v) * _slope2(v)),
        ("slope at A2, not Z2", lambda v: v["dA2"] * _slope_at_A2(v)),
        ("slope at A2, not Z2", lambda v: v["dA2"] * v["Z2"] * (1 - v["Z2"])),
        ("slope of the other layer", lambda v: v["dA2"] * v["slope at Z2"]),
        ("plus Y", lambda v: v["A2"] + v["Y"]),
        ("rounded", lambda v: (v["A2"] > 0.5) - v["Y"]),
        ("absolute", lambda v: np.abs(v["A2"] - v["Y"])),
        ("1/m too early", lambda v: (v["A2"] - v["Y"]) / v["m"]),
    ),
    (lambda v: v["dA2"] * _slope2(v),),
)


def _slips_of_a_mean(right: Formula) -> tuple[tuple[str, Formula], ...]:
    """Return what dW and db may both have wrong: the division by m, and the sign."""
    return (
        ("no 1/m", lambda v: right(v) * v["m"]),
        ("1/m twice", lambda v: right(v) / v["m"]),
        ("another number for m", lambda v: right(v) * v["m"] / v["X"].shape[0]),
        ("another number for m", lambda v: right(v) * v["m"] / v["W1"].shape[0]),
        ("sign", lambda v: -right(v)),
    )


def _weights(dZ: str, dA: str, A: str, others: tuple[str, ...]) -> Quantity:
    """Make dW = dZ Aᵀ / m of a layer with the inputs A."""

    def right(v: L) -> Any:
        return v[dZ] @ v[A].T / v["m"]

    return Quantity(
        right,
        (
            *_slips_of_a_mean(right),
            *[(f"{B} for {A}", lambda v, B=B: v[dZ] @ v[B].T / v["m"]) for B in others],
            (f"{dA} for {dZ}", lambda v: v[dA] @ v[A].T / v["m"]),
            ("transposed", lambda v: right(v).T),
            ("transposed, no 1/m", lambda v: right(v).T * v["m"]),
            (f"{A}, not {A}ᵀ", lambda v: v[dZ] @ v[A] / v["m"]),
            (f"{A}, not {A}ᵀ", lambda v: v[dZ] @ v[A]),
            (f"{dZ}ᵀ, not {dZ}", lambda v: v[dZ].T @ v[A].T / v["m"]),
            ("element by element", lambda v: v[dZ] * v[A].T / v["m"]),
            ("element by element", lambda v: v[dZ] * v[A] / v["m"]),
            ("element by element", lambda v: v[dZ] * v[A].T),
            ("element by element", lambda v: v[dZ] * v[A]),
            ("sign, no 1/m", lambda v: -right(v) * v["m"]),
        ),
    )


def _bias(dZ: str, dA: str) -> Quantity:
    """Make db = Σ dZ / m of a layer."""

    def right(v: L) -> Any:
        return v[dZ].sum(axis=1, keepdims=True) / v["m"]

    return Quantity(
        right,
        (
            *_slips_of_a_mean(right),
            ("not summed", lambda v: v[dZ] / v["m"]),
            ("not summed", lambda v: v[dZ]),
            ("wrong axis", lambda v: v[dZ].sum(axis=0) / v["m"]),
            ("wrong axis", lambda v: v[dZ].sum(axis=0)),
            ("wrong axis", lambda v: v[dZ].mean(axis=0)),
            ("wrong axis", lambda v: v[dZ].sum(axis=0, keepdims=True) / v["m"]),
            ("wrong axis", lambda v: v[dZ].sum(axis=0, keepdims=True)),
            ("wrong axis", lambda v: v[dZ].mean(axis=0, keepdims=True)),
            ("summed over all", lambda v: v[dZ].sum() / v["m"]),
            ("summed over all", lambda v: v[dZ].sum()),
            ("summed over all", lambda v: v[dZ].mean()),
            ("summed over all", lambda v: v[dZ].sum().reshape(1, 1) / v["m"]),
            ("transposed", lambda v: right(v).T),
            (f"{dA} for {dZ}", lambda v: v[dA].sum(axis=1, keepdims=True) / v["m"]),
            ("zero", lambda v: 0 * right(v)),
            ("one example only", lambda v: v[dZ][:, :1]),
            ("sign, no 1/m", lambda v: -right(v) * v["m"]),
        ),
    )


DA1 = Quantity(
    lambda v: v["W2"].T @ v["dZ2"],
    (
        ("dA2 for dZ2", lambda v: v["W2"].T @ v["dA2"]),
        ("W2 left out", lambda v: np.ones_like(v["A1"]) * v["dZ2"]),
        ("sign", lambda v: -v["W2"].T @ v["dZ2"]),
        ("transposed", lambda v: v["dZ2"].T @ v["W2"]),
        ("W2, not W2ᵀ", lambda v: v["W2"] * v["dZ2"]),
        ("1/m too early", lambda v: v["W2"].T @ v["dZ2"] / v["m"]),
    ),
)


def _sigmoid(Z: Any) -> Any:
    return 1 / (1 + np.exp(-Z))


DZ1 = Quantity(
    lambda v: v["dA1"] * v["slope at Z1"],
    (
        ("slope left out", lambda v: v["dA1"]),
        ("slope at A1, not Z1", lambda v: v["dA1"] * v["slope at A1"]),
        ("slope's sign", lambda v: -v["dA1"] * v["slope at Z1"]),
        ("slope inverted", lambda v: v["dA1"] * (v["Z1"] < 0)),
        ("slope of sigmoid", lambda v: v["dA1"] * _sigmoid(v["Z1"]) * (1 - _sigmoid(v["Z1"]))),
        ("slope of sigmoid", lambda v: v["dA1"] * v["A1"] * (1 - v["A1"])),
        ("slope of tanh", lambda v: v["dA1"] * (1 - v["A1"] ** 2)),
        ("slope of tanh", lambda v: v["dA1"] * (1 - np.tanh(v["Z1"]) ** 2)),
        ("slope of ReLU", lambda v: v["dA1"] * (v["Z1"] > 0)),
        ("slope of leaky ReLU", lambda v: v["dA1"] * np.where(v["Z1"] > 0, 1, 0.01)),
        ("slope of the other layer", lambda v: v["dA1"] * v["slope at Z2"]),
        ("slope of the other layer", lambda v: v["dA1"] * _slope2(v)),
        ("activation for its slope", lambda v: v["dA1"] * v["A1"]),
        ("slope twice", lambda v: v["dA1"] * v["slope at Z1"] ** 2),
        ("slope at dA1, not Z1", lambda v: v["dA1"] * (v["dA1"] > 0)),
        ("matrix product", lambda v: v["dA1"] @ v["slope at Z1"]),
        ("1/m too early", lambda v: v["dA1"] * v["slope at Z1"] / v["m"]),
    ),
)

BACKPROP = {
    "dA2": DA2,
    "dZ2": DZ2,
    "dW2": _weights("dZ2", "dA2", "A1", ("Z1", "X")),
    "db2": _bias("dZ2", "dA2"),
    "dA1": DA1,
    "dZ1": DZ1,
    "dW1": _weights("dZ1", "dA1", "X", ("A1", "Z1")),
    "db1": _bias("dZ1", "dA1"),
}


def _logits(W: str, b: str, A: str, *others: str) -> Quantity:
    """Make Z = W A + b of a layer with the inputs A."""
    other = {"b1": "b2", "b2": "b1"}[b]
    return Quantity(
        lambda v: v[W] @ v[A] + v[b],
        (
            ("bias left out", lambda v: v[W] @ v[A]),
            ("bias subtracted", lambda v: v[W] @ v[A] - v[b]),
            ("bias twice", lambda v: v[W] @ v[A] + 2 * v[b]),
            *[(f"{B} for {A}", lambda v, B=B: v[W] @ v[B] + v[b]) for B in others],
            (f"{other} for {b}", lambda v: v[W] @ v[A] + v[other]),
            (f"{b}ᵀ, not {b}", lambda v: v[W] @ v[A] + v[b].T),
            ("element by element", lambda v: v[W] * v[A] + v[b]),
            ("factors swapped", lambda v: v[A] @ v[W] + v[b]),
            (f"{W}ᵀ, not {W}", lambda v: v[W].T @ v[A] + v[b]),
            (f"{A}ᵀ, not {A}", lambda v: v[W] @ v[A].T + v[b]),
            ("transposed", lambda v: (v[W] @ v[A] + v[b]).T),
            ("transposed", lambda v: (v[W] @ v[A]).T + v[b]),
        ),
    )


FORWARD = {
    "Z1": _logits("W1", "b1", "X"),
    "A1": Quantity(
        lambda v: v["activation of Z1"](v["Z1"]),
        (
            ("activation left out", lambda v: v["Z1"]),
            ("sigmoid", lambda v: _sigmoid(v["Z1"])),
            ("tanh", lambda v: np.tanh(v["Z1"])),
            ("ReLU", lambda v: np.maximum(v["Z1"], 0)),
            ("leaky ReLU", lambda v: np.where(v["Z1"] > 0, v["Z1"], 0.01 * v["Z1"])),
            ("min for max", lambda v: np.minimum(v["Z1"], 0)),
            ("slope for the activation", lambda v: (v["Z1"] > 0) * 1.0),
            ("absolute", lambda v: np.abs(v["Z1"])),
        ),
    ),
    "Z2": _logits("W2", "b2", "A1", "Z1", "X"),
    "A2": Quantity(
        lambda v: _sigmoid(v["Z2"]),
        (
            ("activation left out", lambda v: v["Z2"]),
            ("exponent's sign", lambda v: _sigmoid(-v["Z2"])),
            ("parentheses", lambda v: 1 / 1 + np.exp(-v["Z2"])),
            ("minus in the denominator", lambda v: 1 / (1 - np.exp(-v["Z2"]))),
            ("ReLU", lambda v: np.maximum(v["Z2"], 0)),
            ("tanh", lambda v: np.tanh(v["Z2"])),
            ("softmax", lambda v: np.exp(v["Z2"]) / np.exp(v["Z2"]).sum()),
            ("softmax", lambda v: np.ones_like(v["Z2"])),
            ("sigmoid twice", lambda v: _sigmoid(_sigmoid(v["Z2"]))),
            ("rounded", lambda v: (v["Z2"] > 0) * 1.0),
        ),
    ),
}


def _losses(v: L) -> Any:
    return -(v["Y"] * np.log(v["A2"]) + (1 - v["Y"]) * np.log(1 - v["A2"]))


def _outer_losses(v: L) -> Any:
    """Multiply each label with the logarithms of all examples: (m, m)."""
    return -(v["Y"].T @ np.log(v["A2"]) + (1 - v["Y"]).T @ np.log(1 - v["A2"]))


LOSS = {
    "cost": Quantity(
        lambda v: _losses(v).mean(),
        (
            ("no 1/m", lambda v: _losses(v).sum()),
            ("not averaged", _losses),
            ("not averaged", lambda v: _losses(v)[0]),
            ("1/m twice", lambda v: _losses(v).mean() / v["m"]),
            ("another number for m", lambda v: _losses(v).sum() / v["X"].shape[0]),
            ("another number for m", lambda v: _losses(v).sum() / v["W1"].shape[0]),
            ("sign", lambda v: -_losses(v).mean()),
            ("sign, no 1/m", lambda v: -_losses(v).sum()),
            ("a term left out", lambda v: -(v["Y"] * np.log(v["A2"])).mean()),
            ("a term left out", lambda v: -((1 - v["Y"]) * np.log(1 - v["A2"])).mean()),
            ("squared error", lambda v: ((v["A2"] - v["Y"]) ** 2).mean()),
            ("squared error", lambda v: ((v["A2"] - v["Y"]) ** 2).mean() / 2),
            ("squared error", lambda v: ((v["A2"] - v["Y"]) ** 2).sum()),
            ("absolute", lambda v: np.abs(v["A2"] - v["Y"]).mean()),
            ("log₂ or log₁₀", lambda v: _losses(v).mean() / np.log(2)),
            ("log₂ or log₁₀", lambda v: _losses(v).mean() / np.log(10)),
            (
                "Y and 1 − Y swapped",
                lambda v: -((1 - v["Y"]) * np.log(v["A2"]) + v["Y"] * np.log(1 - v["A2"])).mean(),
            ),
            (
                "second term's sign",
                lambda v: -(v["Y"] * np.log(v["A2"]) - (1 - v["Y"]) * np.log(1 - v["A2"])).mean(),
            ),
            (
                "no logarithm",
                lambda v: -(v["Y"] * v["A2"] + (1 - v["Y"]) * (1 - v["A2"])).mean(),
            ),
            (
                "1 + A2 for 1 − A2",
                lambda v: -(v["Y"] * np.log(v["A2"]) + (1 - v["Y"]) * np.log(1 + v["A2"])).mean(),
            ),
            ("matrix product", lambda v: _outer_losses(v).mean()),
            ("matrix product", lambda v: _outer_losses(v).sum() / v["m"]),
            ("matrix product", lambda v: _outer_losses(v) / v["m"]),
        ),
    )
}


def _updated(name: str) -> Quantity:
    """Make W − α dW; those that stand in the letters are the values before."""
    others = {"W1": "dW2", "b1": "db2", "W2": "dW1", "b2": "db1"}
    d, other = f"d{name}", others[name]

    def old(v: L) -> Any:
        return v[f"old {name}"]

    return Quantity(
        lambda v: old(v) - v["learning_rate"] * v[d],
        (
            ("step added", lambda v: old(v) + v["learning_rate"] * v[d]),
            ("rate left out", lambda v: old(v) - v[d]),
            ("step added, rate left out", lambda v: old(v) + v[d]),
            ("not updated", old),
            ("the step only", lambda v: -v["learning_rate"] * v[d]),
            ("the step only", lambda v: v["learning_rate"] * v[d]),
            ("1/m again", lambda v: old(v) - v["learning_rate"] * v[d] / v["m"]),
            ("divided by the rate", lambda v: old(v) - v[d] / v["learning_rate"]),
            ("rate squared", lambda v: old(v) - v["learning_rate"] ** 2 * v[d]),
            ("rate times the parameter", lambda v: old(v) - v["learning_rate"] * old(v)),
            ("updated twice", lambda v: old(v) - 2 * v["learning_rate"] * v[d]),
            (f"{other} for {d}", lambda v: old(v) - v["learning_rate"] * v[other]),
        ),
    )


UPDATE = {name: _updated(name) for name in PARAMS}


def _train(v: L, slip: str) -> L:
    """Compute W1, b1, W2, b2 and the costs of a training whose loop has a slip, or "none"."""
    iterations = v["iterations"] + {"one iteration more": 1, "one iteration less": -1}.get(slip, 0)
    alpha = v["learning_rate"]
    rates = {"step added": -alpha, "rate left out": 1, "no 1/m": alpha * v["m"]}
    start = {name: v[f"old {name}"] for name in PARAMS}
    params, costs = start, []
    stages: L = {}
    gradients: L = {}
    for t in range(iterations + 1):
        now = v | params
        for name, quantity in FORWARD.items():
            now[name] = quantity.formula(now)
        costs.append(LOSS["cost"].formula(now))
        if t == iterations:
            break
        if t == 0:
            stages = {name: now[name] for name in FORWARD}
        elif slip == "before the loop: stages":
            now |= stages
        now["slope at Z1"] = v["slope of Z1"](now["Z1"])
        if t == 0 or slip != "before the loop: gradient":
            for name, quantity in BACKPROP.items():
                if name == "dA1" and slip == "W2 updated too early":
                    now["W2"] = now["W2"] - alpha * now["dW2"]
                gradients[name] = now[name] = quantity.formula(now)
        before = start if slip == "begins anew" else params
        rate = rates.get(slip, alpha)
        params = {name: before[name] - rate * gradients[f"d{name}"] for name in PARAMS}
    return params | {"costs": np.array(costs[:-1]), "all costs": np.array(costs)}


def _trained(name: str, slip: str = "none") -> Formula:
    def formula(v: L) -> Any:
        if slip not in v["trained"]:
            v["trained"][slip] = _train(v, slip)
        return v["trained"][slip][name]

    return formula


_all_costs = _trained("all costs")


LOOPS = (
    "one iteration more", "one iteration less", "step added", "rate left out", "no 1/m",
    "begins anew", "before the loop: stages", "before the loop: gradient", "W2 updated too early",
)  # fmt: skip


def _of_training(name: str) -> Quantity:
    right = _trained(name)
    slips = [(slip.partition(":")[0], _trained(name, slip)) for slip in LOOPS]
    if name != "costs":
        return Quantity(right, (("not kept", lambda v: v[f"old {name}"]), *slips))
    return Quantity(
        right,
        (
            ("always the first", lambda v: np.full(v["iterations"], right(v)[0])),
            ("costs after the update", lambda v: _all_costs(v)[1:]),
            ("one cost more", _all_costs),
            ("costs times m", lambda v: right(v) * v["m"]),
            ("the last cost only", lambda v: right(v)[-1:]),
            ("the last cost only", lambda v: _all_costs(v)[-1:]),
            *slips,
        ),
    )


TRAINING = {name: _of_training(name) for name in ("costs", *PARAMS)}

# What may be wrong though it is not returned: seen by what follows from it.
HIDDEN = {
    "backprop": ("dZ2", "dA1", "dZ1"),
    "forward": ("Z1", "A1", "Z2"),
    "loss": (),
    "update": (),
    "training": (),
}
FORMULAS = {
    "backprop": BACKPROP,
    "forward": FORWARD,
    "loss": LOSS,
    "update": UPDATE,
    "training": TRAINING,
}
