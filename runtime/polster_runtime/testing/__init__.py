"""What tests of parts of the runtime use: of storage, of secrets, of listeners."""
