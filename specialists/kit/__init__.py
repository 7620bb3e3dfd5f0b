"""Looks that several specialists take in the same way: metrics, logs, changes. Each has its evidence beside it."""
