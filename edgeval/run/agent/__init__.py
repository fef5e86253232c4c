"""What runs on the device: standard library and numpy, Python 3.7 and later, nothing else of edgeval."""
