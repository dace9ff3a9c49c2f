"""Numbers about data and networks, each with its uncertainty."""
