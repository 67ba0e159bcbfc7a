"""What the user wrote: read, checked, found, edited. Only ``credentials`` reads the environment."""

from .load import load_project
from .model import Config, Project

__all__ = ["Config", "Project", "load_project"]
