"""The SQL. A method is one statement and decides nothing; it answers what it found."""
