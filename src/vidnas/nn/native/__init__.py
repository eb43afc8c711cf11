"""CPU kernels in C, and how they are compiled, called and shared among threads."""
