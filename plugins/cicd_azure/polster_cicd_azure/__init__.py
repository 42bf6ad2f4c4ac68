"""Write Azure Pipelines."""
