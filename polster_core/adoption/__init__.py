"""Put a project into a folder that has files already: what is there stays, a few files are merged.

`adopt` decides about every generated file; `pyproject` and `additions` merge the files that both
have, `backends` tells a build backend about the project's packages, and `members` makes a project
the member of a uv workspace above it.
"""
