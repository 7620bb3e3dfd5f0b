"""Accuracy as a number: scenarios as code, run against a local AWS, and recorded material."""
