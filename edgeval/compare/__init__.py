"""Two tables of predictions side by side: pairing, differences with intervals, and the stage each flip belongs to."""
