"""Many institutions behind one fleet of workers, each with a database of its own."""
