"""Statements of imports: whole batches at once, over arrays."""
