"""Wishes into groups, exactly: a flow of least cost, whose optimum is certified by prices."""
