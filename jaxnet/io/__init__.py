"""Atomic writing of files, and reading of HDF5 files within limits."""
