"""The examples in the docstrings of public names are run; the reference has all names."""

import doctest
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnet

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLES = {
    name: test
    for name in jaxnet.__all__
    for test in doctest.DocTestFinder(recurse=False).find(getattr(jaxnet, name), f"jaxnet.{name}")
    if test.examples
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_prints_what_it_says(name: str) -> None:
    test = EXAMPLES[name]
    test.globs = {"jaxnet": jaxnet, "jax": jax, "jnp": jnp, "np": np}
    told: list[str] = []
    with jax.numpy_rank_promotion("allow"):  # JAX's own setting
        assert doctest.DocTestRunner().run(test, out=told.append).failed == 0, "".join(told)


def test_the_core_has_examples() -> None:
    assert {"init_params", "forward", "to_columns"} <= EXAMPLES.keys()


def test_the_reference_lists_every_public_name_once() -> None:
    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\.\. (?:auto|py:data)\w*:: (\w+)$", text, re.MULTILINE)) == sorted(
        jaxnet.__all__
    )
