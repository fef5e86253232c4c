"""Each verb from start to finish: the only room that knows the order of things."""
