"""The only door to boto3: read-only sessions, guarded and metered."""
