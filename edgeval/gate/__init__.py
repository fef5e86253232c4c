"""Whether to ship: rules held against a comparison's evidence, and how many images that takes."""
