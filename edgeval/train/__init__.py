"""Train one rung of a ladder: augmentation, the plain loop, and predictions with torch."""
