"""What deployments write, looked at by the tools of their platforms."""
