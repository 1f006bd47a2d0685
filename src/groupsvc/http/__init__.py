"""The HTTP faces and what they share at the edge. Faces translate; services decide."""
