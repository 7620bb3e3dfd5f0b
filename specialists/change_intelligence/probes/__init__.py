"""The change specialist's looks."""

from specialists.change_intelligence.probes.deployments import DEPLOYMENT_PROBES
from specialists.change_intelligence.probes.functions import FUNCTION_PROBES
from specialists.change_intelligence.probes.parameters import PARAMETER_PROBES
from specialists.change_intelligence.probes.stacks import STACK_PROBES
from specialists.change_intelligence.probes.trail import TRAIL_PROBES

PROBES = (*TRAIL_PROBES, *FUNCTION_PROBES, *STACK_PROBES, *DEPLOYMENT_PROBES, *PARAMETER_PROBES)
