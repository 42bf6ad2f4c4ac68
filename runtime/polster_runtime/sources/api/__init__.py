"""REST APIs, with requests and ijson."""

from polster_runtime.sources.api.source import Api, fetch_api_data

__all__ = ["Api", "fetch_api_data"]
