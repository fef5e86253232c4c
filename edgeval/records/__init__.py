"""The nouns: frozen, typed records that the wings hand to each other."""
