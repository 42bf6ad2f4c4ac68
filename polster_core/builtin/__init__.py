"""What every project has, contributed through the hooks that third parties use."""
