"""Requests that an API refuses for who sends them, from where, how large and how often; callers who see it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import ApiJourney, Failing, access_log, api_changed, api_traffic, guard_route, moments
from evals.scenarios._functions import CODE, changed, deploy, role_changed, traffic, whole_minute
from evals.scenarios._runtimes import java
from sandbox.aws import resources
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "apigateway")
def credentials_kept_beyond_their_hour(world: World) -> Expect:
    """One of four tasks of a .NET service keeps its session credentials in a static field: a quarter of the signed
    requests is refused. The web ACL blocks nobody, and the tag on the role is a tag."""
    quotas = deploy(world, "quota-read", "java21", memory=1024)
    stage = resources.rest_api(world, "quotas", [("GET", "/quotas", quotas.arn)])
    guard_route(world, stage, "GET", "/quotas", quotas.arn, authorizationType="AWS_IAM")
    began = whole_minute(world, 28)
    api_traffic(world, {"ApiName": "quotas"}, 200, 44, Failing(403, began, 0.25, 2))
    traffic(quotas, 150, 35)
    words = "The security token included in the request is expired"
    row = {"httpMethod": "GET", "path": "/quotas", "status": 403, "errorType": "EXPIRED_TOKEN", "errorMessage": words}
    access_log(world, stage, "/apigw/quotas", [(at, row) for at in moments(world, began, every=50)])
    role_changed(world, "TagRole", quotas.role, who="finance", when=world.ago(minutes=30), tags=[])
    changed(quotas, CODE, who="ci-quotas", when=world.ago(minutes=33), publish=False)
    journey = ApiJourney(world, world.ago(minutes=5))
    journey.refused(stage, "GET", "/quotas", 403)
    api = resources.rest_api_arn(world, stage)
    return Expect(
        journey.send(),
        cause="apigw-expired-signature",
        resource=api,
        says=("credentials have expired",),
        innocent=(quotas.arn, quotas.role_arn),
    )


@scenario(Kind.SINGLE, "apigateway")
def scans_above_ten_megabytes(world: World) -> Expect:
    """The new scanner app sends colour scans of 14 MB: API Gateway refuses what is above 10 MB, all others pass."""
    scans = deploy(world, "scan-intake", "python3.12", memory=1024)
    stage = resources.rest_api(world, "scans", [("POST", "/scans", scans.arn)])
    began = whole_minute(world, 31)
    api_traffic(world, {"ApiName": "scans"}, 40, 420, Failing(413, began, 0.35, 3))
    traffic(scans, 27, 380)
    row = {"httpMethod": "POST", "path": "/scans", "status": 413, "errorType": "REQUEST_TOO_LARGE"}
    row["errorMessage"] = "Request Too Long"
    access_log(world, stage, "/apigw/scans", [(at, row) for at in moments(world, began, every=90)])
    changed(scans, CODE, who="ci-scans", when=world.ago(minutes=32), publish=False)
    journey = ApiJourney(world, world.ago(minutes=5))
    journey.refused(stage, "POST", "/scans", 413)
    api = resources.rest_api_arn(world, stage)
    return Expect(journey.send(), cause="apigw-request-too-large", resource=api, innocent=(scans.arn, scans.role_arn))


@scenario(Kind.SINGLE, "apigateway")
def preflight_of_a_new_header_unanswered(world: World) -> Expect:
    """The web shop sends a tracing header since its release, so that browsers ask before: the API has no OPTIONS
    method, and no cart is filled any more by browsers. Phones are well."""
    basket = deploy(world, "basket", "nodejs22.x")
    stage = resources.rest_api(world, "baskets", [("POST", "/baskets", basket.arn), ("GET", "/baskets", basket.arn)])
    began = whole_minute(world, 22)
    api_traffic(world, {"ApiName": "baskets"}, 420, 60, Failing(403, began, 0.3, 1))
    traffic(basket, 290, 50)
    row = {"httpMethod": "OPTIONS", "path": "/prod/baskets", "status": 403}
    row |= {"errorType": "MISSING_AUTHENTICATION_TOKEN", "errorMessage": "Missing Authentication Token"}
    good = {"httpMethod": "POST", "path": "/prod/baskets", "status": 201, "integrationStatus": 200}
    rows: list[tuple[datetime, Mapping[str, Any]]] = [(at, row) for at in moments(world, began, every=25)]
    rows += [(at, good) for at in moments(world, whole_minute(world, 44), every=20)]
    access_log(world, stage, "/apigw/baskets", rows)
    changed(basket, CODE, who="ci-basket", when=world.ago(minutes=70), publish=False)
    api = resources.rest_api_arn(world, stage)
    text = f"browsers say: blocked by CORS policy: No 'Access-Control-Allow-Origin' header. {api}"
    return Expect(text, cause="apigw-cors", resource=api, innocent=(basket.arn, basket.role_arn))


@scenario(Kind.SINGLE, "apigateway")
def partner_still_calls_the_old_path(world: World) -> Expect:
    """/v1 was taken away weeks after its end was announced; one partner still calls it, everyone else is well."""
    orders = deploy(world, "orders-v2", "dotnet8")
    stage = resources.rest_api(world, "b2b", [("POST", "/v2/orders", orders.arn)])
    began = whole_minute(world, 40)
    api_traffic(world, {"ApiName": "b2b"}, 200, 60, Failing(403, began, 0.08, 1))
    traffic(orders, 184, 55)
    row = {"httpMethod": "POST", "path": "/v1/orders", "status": 403, "errorType": "MISSING_AUTHENTICATION_TOKEN"}
    row |= {"errorMessage": "Missing Authentication Token"}
    access_log(world, stage, "/apigw/b2b", [(at, row) for at in moments(world, began, every=45)])
    for name in ("DeleteResource", "CreateDeployment"):
        api_changed(world, name, who="ci-b2b", when=world.ago(minutes=41), restApiId=stage.api_id)
    journey = ApiJourney(world, world.ago(minutes=4))
    journey.refused(stage, "POST", "/v1/orders", 403)
    api = resources.rest_api_arn(world, stage)
    return Expect(
        journey.send(), cause="apigw-missing-auth-token", resource=api, innocent=(orders.arn, orders.role_arn)
    )


@scenario(Kind.FOREIGN, "apigateway")
def rates_of_the_other_region_throttled(world: World) -> Expect:
    """A Java function in one Region asks an API in another, whose stage was set to two requests a second."""
    there = World(world.aws, world.now, f"{world.seed} there", region="eu-central-1")
    rates = deploy(there, "fx-rates", "nodejs20.x")
    throttle = {"/*/*/throttling/rateLimit": "2", "/*/*/throttling/burstLimit": "4"}
    stage = resources.rest_api(there, "fx", [("GET", "/rates", rates.arn)], stage_settings=throttle)
    invoice = deploy(world, "invoice-total", "java21", memory=1024, timeout=20)
    began = whole_minute(world, 14)
    url = f"https://{stage.api_id}.execute-api.eu-central-1.amazonaws.com/prod/rates"
    fault = java(
        "feign.FeignException$TooManyRequests",
        f'[429 Too Many Requests] during [GET] to [{url}] [RatesClient#rates()]: [{{"message":"Too Many Requests"}}]',
        ("FeignException.java", 239, "feign.FeignException.clientErrorStatus"),
        ("Totals.java", 71, "com.acme.invoice.Totals.rate"),
        milliseconds=640,
    )
    traffic(invoice, 400, 120, fault=fault, since=began, share=0.6)
    api_traffic(there, {"ApiName": "fx"}, 700, 30, Failing(429, began, 0.7, 2))
    traffic(rates, 200, 20)
    patch = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "2"}]
    asked = {"restApiId": stage.api_id, "stageName": "prod", "updateStageInput": {"patchOperations": patch}}
    api_changed(there, "UpdateStage", who="marek", when=world.ago(minutes=14, seconds=40), **asked)
    changed(invoice, CODE, who="ci-invoice", when=world.ago(minutes=44), publish=False)
    journey = ApiJourney(world, world.ago(minutes=2))
    call = journey.http("GET", url, 0.03, 0.02, status=429)
    journey.function(invoice, 0.0, 0.66, calls=[call], fault=fault)
    journey.place = journey.place._replace(region="eu-central-1")
    journey.refused(stage, "GET", "/rates", 429, call=call)
    api = resources.rest_api_arn(there, stage)
    innocent = (invoice.arn, invoice.role_arn, rates.arn)
    return Expect(
        journey.send(), cause="apigw-throttled", resource=api, says=("UpdateStage by marek",), innocent=innocent
    )
