"""Analysis of a study of regressors: what the kept errors of many networks say."""
