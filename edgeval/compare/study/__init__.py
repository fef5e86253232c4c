"""A study: many models' answers to one test set, over sizes, seeds, formats and targets."""
