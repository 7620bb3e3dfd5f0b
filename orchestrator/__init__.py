"""One investigation from request to stored report. Deterministic: no model routes anything."""
