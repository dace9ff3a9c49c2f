"""One offline page that trains a run's network on its own pictures, in the browser."""
