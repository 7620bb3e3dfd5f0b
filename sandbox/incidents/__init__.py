"""Seeded incidents: whole systems with something wrong in them, and what an investigation must find."""
