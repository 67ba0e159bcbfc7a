"""A small application on the efficient_tutor database."""
