"""The docs, and what makes their tables."""
