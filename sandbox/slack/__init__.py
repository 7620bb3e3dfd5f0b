"""A local Slack that speaks the real protocols: Web API, Socket Mode, signed requests, response_url, rate limits."""

from sandbox.slack.deliveries import Attempt, Delivery
from sandbox.slack.faults import Fault
from sandbox.slack.local import LocalSlack
from sandbox.slack.pace import Rates
from sandbox.slack.state import File, Message, Timing, View
from sandbox.slack.web import Call
from sandbox.slack.workspace import EVENTS, SCOPES, App, Channel, User, Workspace, workspace

__all__ = [
    "EVENTS",
    "SCOPES",
    "App",
    "Attempt",
    "Call",
    "Channel",
    "Delivery",
    "Fault",
    "File",
    "LocalSlack",
    "Message",
    "Rates",
    "Timing",
    "User",
    "View",
    "Workspace",
    "workspace",
]
