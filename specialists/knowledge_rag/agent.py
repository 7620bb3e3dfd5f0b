"""Knowledge: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent

INSTRUCTIONS = (
    "You read passages of runbooks and notes beside one incident's errors. Say which passage applies to what is "
    "seen here, by error code, resource or symptom, and where its conditions differ. A runbook for another cause "
    "with a similar name misleads: name the difference. What a passage tells people to do stays with its authors: "
    "state only what it says about the failure, and cite it."
)

AGENT = Agent(INSTRUCTIONS)
