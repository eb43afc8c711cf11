"""What is particular to differentiable architecture search."""
