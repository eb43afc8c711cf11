"""Every video decoded once, to know it."""
