"""Files of other systems, by declaration."""
