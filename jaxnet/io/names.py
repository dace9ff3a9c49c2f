"""The names of the files and folders that jaxnet makes."""

MODEL_NAME = "model.h5"
SWEEP_NAME = "sweep.h5"
CARD_NAME = "README.md"  # what model hubs show of a folder

# In the folder of an improvement: each lever that is measured.
LEVERS_NAME = "levers"

# In the folder of a run: what has scored its test set.
SCORINGS_NAME = "test-set-scored.txt"

# Runs lie in this folder, by number, where no other place is given.
RUNS_NAME = "runs"

# Created by the one run that claims a folder: of two at once, the second finds it.
CLAIM_NAME = ".jaxnet-run"
