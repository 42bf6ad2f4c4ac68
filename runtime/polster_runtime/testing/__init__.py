"""What tests of storage backends run inside a project; projects do not hold it."""
