"""Imports and exports: tables, which name everything as people do."""
