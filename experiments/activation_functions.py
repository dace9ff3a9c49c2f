"""Where is the slope of each activation function close to 0?

The derivative of a weight contains the slope g′(z) of its unit as a factor: where the slope is 0,
the weight does not change. Each function and its slope are computed on [−10, 10]. The slopes in
`jaxnet` are written by hand. They are compared with `jax.grad` everywhere, and with central
differences everywhere except at z = 0, where ReLU has a kink and its slope is a convention. (The
article's section "Linear functions and non-linear activation functions".)

    python -m experiments.activation_functions

Expect for the sigmoid a slope of 0.25 at z = 0 and of 4.5e-5 at ±10, below 1 % of its maximum from
|z| = 6 on; for ReLU a slope of 1 for z > 0 and of 0 elsewhere, z = 0 included; for leaky ReLU 1 and
0.01. It takes two seconds. With --reach 1 the answer is no: the sigmoid is not flat so close to 0,
which is one reason to scale the inputs.
"""

import math
from typing import NamedTuple

import jax
import numpy as np
from matplotlib.figure import Figure

from experiments import BLUE, GREEN, ORANGE, Result, new_figure, run
from jaxnet import Activation, UsageError, leaky_relu, relu, sigmoid

CLAIM = "The sigmoid is flat at both ends; the slope of ReLU is 1 or 0, nothing in between."

COLORS = {sigmoid: BLUE, relu: ORANGE, leaky_relu: GREEN}


class Curve(NamedTuple):
    """A function and its slope at each z, and the largest differences of the slope."""

    A: np.ndarray
    slope: np.ndarray
    from_jax: float  # from jax.grad
    from_differences: float  # from central differences, z = 0 left out


def main(
    reach: float = 10.0,
    points: int = 2001,
    flat: float = 0.001,
    step: float = 1e-5,
    tolerance: float = 1e-8,
) -> Result:
    """Compute each function and its slope on [−reach, reach], and check the slope in two ways."""
    if not 0 < step < reach < math.inf:
        raise UsageError(
            f"the reach is {reach:g} and the step {step:g}",
            "a step above 0, and a reach above the step",
            "leave out reach and step to use their defaults",
        )
    half = max(points // 2, 1)
    z = reach * np.arange(-half, half + 1) / half  # one of them is exactly 0
    curves = {activation: evaluate(activation, z, step) for activation in COLORS}
    print("               slope at                          largest difference from")
    print(f"           {-reach:9g}         0 {reach:9g}      jax.grad  central differences")
    for activation, curve in curves.items():
        ends = "".join(f"{curve.slope[i]:10.3g}" for i in (0, half, -1))
        print(f"{activation.name:10}{ends}  {curve.from_jax:12.1e}  {curve.from_differences:19.1e}")

    slopes = {activation.name: curve.slope for activation, curve in curves.items()}
    at_ends = max(slopes["sigmoid"][0], slopes["sigmoid"][-1])
    steep = np.abs(z[slopes["sigmoid"] >= 0.01 * slopes["sigmoid"].max()])
    from_jax = max(curve.from_jax for curve in curves.values())
    from_differences = max(curve.from_differences for curve in curves.values())
    numbers = {
        "sigmoid, slope at both ends": float(at_ends),
        "sigmoid, slope at 0": float(slopes["sigmoid"][half]),
        "sigmoid, slope above 1 % of its height up to |z|": float(steep.max()),
        "relu, slopes": ", ".join(f"{slope:g}" for slope in np.unique(slopes["relu"])),
        "relu, slope at 0": float(slopes["relu"][half]),
        "leaky_relu, slopes": ", ".join(f"{slope:g}" for slope in np.unique(slopes["leaky_relu"])),
        "leaky_relu, slope at 0": float(slopes["leaky_relu"][half]),
        "greatest difference from jax.grad": from_jax,
        "greatest difference from central differences": from_differences,
    }
    holds = (
        at_ends <= flat * slopes["sigmoid"].max()
        and set(slopes["relu"]) == {0.0, 1.0}
        and max(from_jax, from_differences) <= tolerance
    )
    return Result(CLAIM, bool(holds), numbers, draw(curves, z))


def evaluate(activation: Activation, z: np.ndarray, step: float) -> Curve:
    """Compute a function and its slope at each z in float64, and check the slope in two ways."""

    @jax.jit
    def compute(Z: jax.Array) -> tuple[jax.Array, ...]:
        by_jax = jax.vmap(jax.grad(activation.function))(Z)
        return activation(Z), activation.slope(Z), by_jax, *map(activation, (Z + step, Z - step))

    with jax.enable_x64(True):
        A, slope, by_jax, after, before = jax.device_get(compute(z))
    by_differences = (after - before) / (2 * step)
    smooth = np.abs(z) > step
    from_differences = np.abs(slope - by_differences)[smooth].max()
    return Curve(A, slope, float(np.abs(slope - by_jax).max()), float(from_differences))


def draw(curves: dict[Activation, Curve], z: np.ndarray) -> Figure:
    """Draw each function above its slope."""
    figure, axes = new_figure(CLAIM, 2, 3, sharex=True, sharey="row")
    half = len(z) // 2
    for (top, bottom), (activation, curve) in zip(axes.T, curves.items(), strict=True):
        color, slope = COLORS[activation], curve.slope
        top.plot(z, curve.A, color=color)
        top.set_title(activation.name.replace("_", " ").replace("relu", "ReLU"))
        # In two parts, so that a jump of the slope is not drawn as a steep line.
        for part in (z <= 0, z > 0):
            bottom.plot(z[part], slope[part], color=color)
        if activation is not sigmoid:
            bottom.plot(0, slope[-1], "o", color=color, markerfacecolor="white")
        bottom.plot(0, slope[half], "o", color=color, clip_on=False)
        bottom.set(xlabel="z", ylim=(-0.05, 1.35))
        for i, aligned in ((0, "left"), (half, "center"), (-1, "right")):
            bottom.text(z[i], slope[i] + 0.06, f"{slope[i]:.2g}", ha=aligned, va="bottom")
    axes[0, 0].set_ylabel("g(z)")
    axes[1, 0].set_ylabel("slope g′(z)")
    return figure


if __name__ == "__main__":
    run(main)
