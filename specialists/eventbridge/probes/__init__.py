"""What the EventBridge specialist looks at."""

from specialists.contract import Probe
from specialists.eventbridge.probes.access import ACCESS_PROBES
from specialists.eventbridge.probes.roles import ROLE_PROBES
from specialists.eventbridge.probes.state import STATE_PROBES
from specialists.eventbridge.probes.telemetry import TELEMETRY_PROBES

PROBES: tuple[Probe, ...] = (*STATE_PROBES, *ACCESS_PROBES, *ROLE_PROBES, *TELEMETRY_PROBES)
