"""Who is in which group at a university."""

__version__ = "0.2.0"
