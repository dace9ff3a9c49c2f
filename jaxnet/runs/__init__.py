"""A run: from data to a trained network, its folder and its files."""
