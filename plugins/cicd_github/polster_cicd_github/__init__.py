"""Write GitHub Actions workflows."""
