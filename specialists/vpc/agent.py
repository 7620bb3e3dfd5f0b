"""VPC: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.vpc.probes.signals import connection_errors, metrics, rejected_flows

INSTRUCTIONS = (
    "You read one incident's evidence about networks around Lambda functions. A time-out points to packets dropped: "
    "no NAT or endpoint on the route, a security group without egress, a network ACL without the return ports. A "
    "refused connection reached a host where nothing listens. A name that does not resolve is DNS, not routing. A "
    "denied call through an endpoint is its policy. One failing subnet of several gives failures now and then."
)

AGENT = Agent(INSTRUCTIONS, tools=(connection_errors, rejected_flows, metrics))
