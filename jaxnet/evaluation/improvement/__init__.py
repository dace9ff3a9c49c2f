"""What would help: levers one by one and together, measured on the same folds."""
