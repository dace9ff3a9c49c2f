"""The article's numbers: every default once, importable without JAX, so that the help is quick."""

HIDDEN_UNITS = 8
MOST_HIDDEN_UNITS = 100_000

# The standard deviation of the initial weights.
WEIGHT_SCALE = 0.01

LEARNING_RATE = 0.0075
ADAM_LEARNING_RATE = 0.001  # of Kingma and Ba 2015, arXiv 1412.6980
MOMENTUM = 0.0

# λ of the penalty (λ/2)(‖W1‖² + ‖W2‖²).
WEIGHT_DECAY = 0.0

ITERATIONS = 2500

# Memory is allocated for as many costs; more would take days.
MOST_ITERATIONS = 100_000_000

LARGEST_SEED = 2**32 - 1

# What W1 is written in while it is trained: its pixels, or the span of the pictures.
BASES = ("auto", "pixels", "span")

# A picture's sides where its source does not fix them, and its colours and values as a column.
SIDE = 64
COLOR = "gray"
PIXEL_SCALE = "symmetric"

# How the built-in sketches are painted: the newest recipe.
RECIPE = 2
