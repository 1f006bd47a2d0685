"""Imports and exports: four kinds of tables, which name everything as people do."""
