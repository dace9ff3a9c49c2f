"""The doctor: checks of the pipeline and of a trained network; numbers only, no sentences."""
