"""The specialists: one folder each, found by the registry; what they share is `contract` and `kit`."""
