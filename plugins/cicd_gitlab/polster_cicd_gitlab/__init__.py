"""Write GitLab CI pipelines."""
