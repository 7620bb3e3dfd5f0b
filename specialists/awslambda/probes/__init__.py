"""The Lambda specialist's looks."""

from specialists.awslambda.probes.function import FUNCTION_PROBES
from specialists.awslambda.probes.telemetry import TELEMETRY_PROBES
from specialists.awslambda.probes.triggers import TRIGGER_PROBES

PROBES = (*FUNCTION_PROBES, *TRIGGER_PROBES, *TELEMETRY_PROBES)
