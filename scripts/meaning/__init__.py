"""How the table of meanings is made: sources, training, and the file."""
