"""How many numbers does the network learn, and do the shapes of all its products fit together?

The parameters are counted in three ways: by the formula (n_x + 1) n_h + (n_h + 1), in parameters
that are drawn, and by the shapes of the derivatives. Then the program that JAX makes of the forward
and the backward pass is searched for its matrix products: there must be five, with the shapes that
follow from the article's letters. (The article's section "Number of trainable parameters".)

    python -m experiments.parameter_count

Expect 32,776 numbers in the hidden layer and 9 in the output layer, 32,785 in all, of which 99.95 %
are in W1; and five products with 13.7 million multiplications, half of them for W1 X and half for
dZ1 Xᵀ. It takes one second. With another size, such as --n-h 7, the shapes fit as well, but the
number of parameters is another one, and the answer is no.
"""

import math

import jax
import jax.numpy as jnp
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from experiments import BLUE, GREEN, ORANGE, Result, at_least, new_figure, run
from jaxnet import backward, count_params, forward, init_params

CLAIM = "The network learns 32,776 + 9 = 32,785 numbers, nearly all of them in W1."

HIDDEN, OUTPUT = 32_776, 9  # as the article counts them

# The result and the two factors of each matrix product, in the order of the computation, and the
# formula that it is part of.
PRODUCTS = {
    ("Z1", "W1", "X"): "Z1 = W1 X + b1",
    ("Z2", "W2", "A1"): "Z2 = W2 A1 + b2",
    ("dW2", "dZ2", "A1ᵀ"): "dW2 = dZ2 A1ᵀ / m",
    ("dA1", "W2ᵀ", "dZ2"): "dA1 = W2ᵀ dZ2",
    ("dW1", "dZ1", "Xᵀ"): "dW1 = dZ1 Xᵀ / m",
}

Shape = tuple[int, ...]


def find_products(n_x: int, n_h: int, m: int) -> tuple[list[list[Shape]], dict[str, Shape]]:
    """Find the shapes of each matrix product, (left, right, result), and of every quantity.

    Nothing is computed: JAX only traces the program.
    """
    X, Y = (jax.ShapeDtypeStruct((rows, m), jnp.float32) for rows in (n_x, 1))
    params = jax.eval_shape(lambda key: init_params(key, n_x, n_h), jax.random.key(0))
    program = jax.make_jaxpr(backward)(params, X, Y)  # it includes the forward pass
    products = [
        [value.aval.shape for value in (*step.invars, *step.outvars)]
        for step in program.eqns
        if step.primitive.name == "dot_general"
    ]
    named = {"X": X, "Y": Y} | params
    named |= jax.eval_shape(forward, params, X)._asdict()
    named |= jax.eval_shape(backward, params, X, Y)._asdict()
    shapes = {name: leaf.shape for name, leaf in named.items()}
    return products, shapes | {f"{name}ᵀ": shape[::-1] for name, shape in shapes.items()}


def draw_product(axes: Axes, names: tuple[str, ...], shapes: list[Shape], color: str) -> None:
    """Draw left × right = result as boxes, whose sides grow with the logarithm of the lengths."""
    result, left, right = names
    x = 0.0
    for name, shape, sign in zip((left, right, result), shapes, ("×", "=", ""), strict=True):
        h, w = (1 + math.log2(length) for length in shape)
        room = max(w, 8.0)  # for the text below the box
        face = color if name == result else "white"
        axes.add_patch(Rectangle((x + (room - w) / 2, -h / 2), w, h, ec="black", fc=face))
        axes.text(x + room / 2, h / 2 + 0.4, name, ha="center", va="bottom")
        size = "{:,} × {:,}".format(*shape)
        axes.text(x + room / 2, -h / 2 - 0.6, size, ha="center", va="top", fontsize="small")
        axes.text(x + room + 1.3, 0, sign, ha="center", va="center")
        x += room + 2.6
    half = max(19.5, x / 2)
    middle = x / 2 - 1.3
    axes.set(xlim=(middle - half, middle + half), ylim=(-half / 2, half / 2), aspect="equal")
    axes.set_axis_off()


def main(n_x: int = 4096, n_h: int = 8, m: int = 209) -> Result:
    """Count the parameters three times, and list every matrix product with its shapes."""
    at_least(1, n_x=n_x, n_h=n_h, m=m)
    found, shapes = find_products(n_x, n_h, m)
    products = [
        [shapes[name] for name in (left, right, result)] for result, left, right in PRODUCTS
    ]
    multiplications = [math.prod(result) * left[1] for left, _, result in products]
    sizes = {name: math.prod(shapes[name]) for name in ("W1", "b1", "W2", "b2")}
    hidden, output = sizes["W1"] + sizes["b1"], sizes["W2"] + sizes["b2"]
    counts = {
        "by the formula": (n_x + 1) * n_h + (n_h + 1),
        "drawn": count_params(init_params(jax.random.key(0), n_x, n_h)),
        "by the derivatives": sum(math.prod(shapes[f"d{name}"]) for name in sizes),
    }
    print(f"hidden layer   W1 {shapes['W1']!s:12} b1 {shapes['b1']!s:8} {hidden:12,}")
    print(f"output layer   W2 {shapes['W2']!s:12} b2 {shapes['b2']!s:8} {output:12,}")
    for method, count in counts.items():
        print(f"sum, {method:34} {count:12,}")
    print("\nproduct               left         right        result  multiplications")
    for names, three, count in zip(PRODUCTS, products, multiplications, strict=True):
        columns = "".join(f"{shape!s:>14}" for shape in three)
        print(f"{'{} = {} {}'.format(*names):14}{columns[2:]}  {count:15,}")

    figure, axes = new_figure(CLAIM, 2, 3)
    colors = [BLUE] * 2 + [ORANGE] * 3
    for panel, names, three, color in zip(axes.flat, PRODUCTS, products, colors, strict=False):
        draw_product(panel, names, three, color)
        panel.set_title(PRODUCTS[names])
    panel = axes[1, 2]
    bars = panel.barh(list(sizes), list(sizes.values()), color=GREEN)
    panel.bar_label(bars, [f"{size:,}" for size in sizes.values()], padding=4)
    panel.set(title="numbers to learn, by array", xlim=(0, 1.4 * sizes["W1"]), xticks=[])
    panel.invert_yaxis()
    panel.grid(False)
    figure.supxlabel("blue: forward; orange: backward; sides as the logarithm of the lengths")

    numbers = {
        "parameters": counts["drawn"],
        "hidden layer": hidden,
        "output layer": output,
        "ways of counting that agree": sum(n == hidden + output for n in counts.values()),
        "share of W1": sizes["W1"] / (hidden + output),
        "products whose shapes fit": sum(a == b for a, b in zip(found, products, strict=False)),
        "products found": len(found),
        "multiplications a step": sum(multiplications),
    }
    holds = (
        set(counts.values()) == {HIDDEN + OUTPUT}
        and (hidden, output) == (HIDDEN, OUTPUT)
        and found == products
    )
    return Result(CLAIM, holds, numbers, figure)


if __name__ == "__main__":
    run(main)
