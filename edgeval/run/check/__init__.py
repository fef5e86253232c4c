"""What a board lacks: its survey held against its card, pure, without a board at hand."""
