"""The words of Polster, carried out."""
