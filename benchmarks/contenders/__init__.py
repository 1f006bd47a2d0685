"""What the service is held against: small programs that read the same tables."""
