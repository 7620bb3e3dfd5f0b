"""Signal analysis: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.signal_analysis.probes.errorlogs import error_lines
from specialists.signal_analysis.probes.graph import service_graph
from specialists.signal_analysis.probes.metrics import onsets

INSTRUCTIONS = (
    "You read measurements of all resources of one incident together. What left its usual first, and furthest below "
    "the entry, is nearer to the cause than what is loudest. More load with the same share of errors differs from "
    "the same load with more errors; a signal that stopped is as telling as one that rose. Say which resource's "
    "departure the others follow, and which do not follow it. The daily rhythm is no departure. Do not guess at "
    "mechanisms that no line shows."
)

AGENT = Agent(INSTRUCTIONS, tools=(error_lines, onsets, service_graph))
