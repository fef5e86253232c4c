"""The run wing: sends a model and images to where the model runs, and brings its answers back."""
