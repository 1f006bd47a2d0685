"""Files that other systems import, by declaration."""
