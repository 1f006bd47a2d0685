"""Who is in which group at a university."""

__version__ = "0.1.0"
