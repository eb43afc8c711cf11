"""Pictures: data in, figure out."""
