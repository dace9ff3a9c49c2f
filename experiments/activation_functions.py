"""Where is each activation function flat, so that nothing is learnt through it?

A weight learns by the slope of its unit: where g′(z) is 0, its derivative is 0 too. Each function
and its slope are computed on [−10, 10], and the slope, which is written by hand in `jaxnet`, is
checked against `jax.grad` everywhere, and against central differences everywhere but at z = 0,
where ReLU has a kink and a slope had to be chosen. (The article's section "Linear functions and
non-linear activation functions".)

    python -m experiments.activation_functions

Expect the slope of the sigmoid to be 0.25 at z = 0 and 4.5e-5 at ±10, below 1 % of its height from
|z| = 6 on; that of ReLU to be 1 for z > 0 and 0 elsewhere, z = 0 included; that of leaky ReLU 1 and
0.01; two seconds. With --reach 1 the answer is no: so near 0 the sigmoid is not flat, which is one
reason to scale the inputs.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from experiments import BLUE, GREEN, ORANGE, Result, new_figure, run
from jaxnet import UsageError, leaky_relu, relu, sigmoid

CLAIM = "The sigmoid is flat at both ends; the slope of ReLU is 1 or 0, nothing in between."

COLORS = {sigmoid: BLUE, relu: ORANGE, leaky_relu: GREEN}


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
            "leave out --step and --reach, say",
        )
    half = max(points // 2, 1)
    z = reach * np.arange(-half, half + 1) / half  # 0 is exactly one of them
    figure, axes = new_figure(CLAIM, 2, 3, sharex=True, sharey="row")
    slopes, differences = {}, []
    print("               slope at                          greatest difference from")
    print(f"           {-reach:9g}         0 {reach:9g}      jax.grad  central differences")
    for (top, bottom), (activation, color) in zip(axes.T, COLORS.items(), strict=True):
        with jax.enable_x64(True):
            Z = jnp.asarray(z)
            A, slope, by_jax, ahead, behind = (
                np.asarray(of_z)
                for of_z in (
                    activation(Z),
                    activation.slope(Z),
                    jax.vmap(jax.grad(activation.function))(Z),
                    activation(Z + step),
                    activation(Z - step),
                )
            )
        by_differences = (ahead - behind) / (2 * step)
        smooth = np.abs(z) > step
        away = np.abs(slope - by_jax).max(), np.abs(slope - by_differences)[smooth].max()
        differences.append(away)
        name = activation.name
        slopes[name] = slope
        ends = "".join(f"{slope[i]:10.3g}" for i in (0, half, -1))
        print(f"{name:10}{ends}  {away[0]:12.1e}  {away[1]:19.1e}")

        top.plot(z, A, color=color)
        top.set_title(name.replace("_", " ").replace("relu", "ReLU"))
        # In two parts, so that a jump of the slope is not drawn as if it were steep.
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

    at_ends = max(slopes["sigmoid"][0], slopes["sigmoid"][-1])
    alive = np.abs(z[slopes["sigmoid"] >= 0.01 * slopes["sigmoid"].max()])
    by_jax, by_differences = np.max(differences, axis=0)
    numbers = {
        "sigmoid, slope at both ends": float(at_ends),
        "sigmoid, slope at 0": float(slopes["sigmoid"][half]),
        "sigmoid, slope above 1 % of its height up to |z|": float(alive.max()),
        "relu, slopes": ", ".join(f"{slope:g}" for slope in np.unique(slopes["relu"])),
        "relu, slope at 0": float(slopes["relu"][half]),
        "leaky_relu, slopes": ", ".join(f"{slope:g}" for slope in np.unique(slopes["leaky_relu"])),
        "leaky_relu, slope at 0": float(slopes["leaky_relu"][half]),
        "greatest difference from jax.grad": float(by_jax),
        "greatest difference from central differences": float(by_differences),
    }
    holds = (
        at_ends <= flat * slopes["sigmoid"].max()
        and set(slopes["relu"]) == {0.0, 1.0}
        and max(by_jax, by_differences) <= tolerance
    )
    return Result(CLAIM, bool(holds), numbers, figure)


if __name__ == "__main__":
    run(main)
