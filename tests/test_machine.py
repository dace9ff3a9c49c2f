"""What the machine gives to the process."""

import os
import subprocess
import sys

import pytest

from jaxnet.machine import free_address_space, free_memory, usable_cores


def test_cores_and_memory_are_those_of_the_process() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    if sys.platform == "linux":
        free = free_memory()
        assert free is not None
        assert 0 < free < 2**60


def test_a_limit_on_the_address_space_counts() -> None:
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        assert free_address_space() is None
    program = """
import resource
from jaxnet.machine import free_address_space, free_memory
resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28))
space = free_address_space()
assert 0 < space < 2**28, space
assert free_memory() <= space
held = bytearray(2**26)
assert space - free_address_space() >= 2**26
"""
    if sys.platform == "linux":
        subprocess.run([sys.executable, "-c", program], check=True)
