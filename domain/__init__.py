"""The vocabulary: frozen values that every room speaks, without I/O."""
