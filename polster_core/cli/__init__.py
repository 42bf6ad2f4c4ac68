"""What `polster` says to people: the only place where click is imported."""
