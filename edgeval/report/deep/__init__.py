"""The report of a study of regressors: blocks, terminal text and pictures."""
