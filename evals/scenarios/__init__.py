"""The corpus: one file a theme, one function a story."""
