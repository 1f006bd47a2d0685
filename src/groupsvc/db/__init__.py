"""Connections, statements, what broken constraints and failures mean, and migrations."""
