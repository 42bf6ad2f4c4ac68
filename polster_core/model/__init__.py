"""What a project is made of, in values: names, layers, assets, the pipeline, problems."""
