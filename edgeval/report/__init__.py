"""The report wing: comparisons and scores in, HTML, Markdown and terminal text out."""
