"""Files: written whole or not at all, and HDF5 read within bounds."""
