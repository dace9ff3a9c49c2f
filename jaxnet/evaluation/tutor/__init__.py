"""The tutor: slips in a learner's own functions; codes and numbers only, no sentences."""
