"""How good a network is: scores with their doubt, and what to compare them with."""
