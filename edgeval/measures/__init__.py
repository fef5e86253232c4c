"""Arrays in, numbers out: the measures of one set of answers, and of two sets paired by sample."""
