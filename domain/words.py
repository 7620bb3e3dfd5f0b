"""Words for people that more than one room needs."""

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"; empty for none."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
