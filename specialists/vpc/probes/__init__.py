"""Everything that the VPC specialist looks at."""

from specialists.contract import Probe
from specialists.vpc.probes import parts, place, signals

PROBES: tuple[Probe, ...] = (*place.PROBES, *parts.PROBES, *signals.PROBES)
