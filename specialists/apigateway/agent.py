"""API Gateway: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.apigateway.probes_traffic import access_log, execution_log, traffic
from specialists.contract import Agent

INSTRUCTIONS = (
    "You read one incident's evidence about API Gateway. A 5xx may be the integration's own answer, its malformed "
    "response, its timeout at the API's limit, or a missing invoke permission; a 4xx the authorizer, a key, a usage "
    "plan, the WAF, validation, or a route that was never deployed. Latency close to the integration's latency "
    "puts the fault behind the API; latency without it, in front. Compare what is configured with what the stage "
    "serves."
)

AGENT = Agent(INSTRUCTIONS, tools=(execution_log, access_log, traffic))
