"""All looks at an API, by what they tell."""

from specialists.apigateway import probes_access as access
from specialists.apigateway import probes_config as config
from specialists.apigateway import probes_routes as routes
from specialists.apigateway import probes_traffic as traffic
from specialists.contract import Probe

PROBES: tuple[Probe, ...] = (
    config.api,
    config.stages,
    config.deployments,
    routes.routes,
    routes.authorizers,
    config.gateway_responses,
    routes.vpc_links,
    config.domain_mappings,
    access.integration_permissions,
    access.authorizer_permissions,
    access.usage_plans,
    access.plan_usage,
    access.api_keys,
    access.web_acls,
    traffic.traffic,
    traffic.function_traffic,
    traffic.execution_log,
    traffic.access_log,
    traffic.api_changes,
    traffic.service_changes,
    traffic.permission_changes,
    traffic.authorizer_changes,
)
