"""Read databases, web services and file servers."""
