def polster_storage_backends(:
