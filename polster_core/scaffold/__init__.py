"""The files of new projects, pipelines, storage backends and plugins."""
