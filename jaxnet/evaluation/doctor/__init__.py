"""The doctor: checks of the pipeline and of a trained network, each with what to do about it."""
