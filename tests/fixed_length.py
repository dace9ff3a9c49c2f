"""Texts for HDF5 as jaxnet writes them."""

import numpy as np


def fixed_length(value: object) -> object:
    """Encode a text, and return anything else as it is.

    h5py would write a text with a variable length. Such texts are first read in a child process,
    which takes a third of a second; test_hostile.py tests them.
    """
    return np.bytes_(value.encode()) if isinstance(value, str) else value
