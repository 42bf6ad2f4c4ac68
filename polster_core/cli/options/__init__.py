"""What commands must know: typed, asked for in a terminal, or the default."""
