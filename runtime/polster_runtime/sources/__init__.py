"""What bronze assets read from."""
