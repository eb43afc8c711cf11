"""How a space is searched: a file a method."""
