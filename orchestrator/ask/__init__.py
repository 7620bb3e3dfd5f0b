"""Questions about a concluded investigation, answered from its evidence."""
