"""The pytest side of the product; its fixtures come with the testing plugin."""
