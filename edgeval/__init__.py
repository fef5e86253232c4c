"""edgeval: which answers change when a model is shrunk, exported, quantised and run on an edge device."""

__version__ = "0.1.0"
