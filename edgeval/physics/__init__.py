"""Magnets of the regression study: twisted bilayer CrI3 as two coupled layers of unit vectors on a periodic cell."""

VERSION = "1"  # of the simulator: a change of any number that it gives is a new version
