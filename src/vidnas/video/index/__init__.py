"""Which videos there are, of which class, for which part."""
