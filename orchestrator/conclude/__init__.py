"""From evidence to verdict. Deterministic: the same evidence gives the same conclusion, in any order of arrival."""
