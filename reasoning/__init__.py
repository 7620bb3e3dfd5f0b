"""The only door to Strands. `reasoning.contract` costs nothing to import; the rest is imported when a model is set."""
