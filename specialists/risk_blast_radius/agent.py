"""Risk and blast radius: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.risk_blast_radius.probes import service_graph, who_reads_what_they_feed

INSTRUCTIONS = (
    "You read who depends on the failing resources. Separate measured harm (failing requests with numbers) from "
    "what may follow (queues that fill, readers that starve, retries that add load). Callers whose own error share "
    "is unchanged are not affected, however near. Say who is hit, who comes next, and which dependency shields the "
    "rest. Estimate nothing that no line lets you count."
)

AGENT = Agent(INSTRUCTIONS, tools=(service_graph, who_reads_what_they_feed))
