"""What the function's own code does wrong: plain exceptions, missing variables, failing remote services."""

import re
from collections import Counter
from collections.abc import Iterator

from domain.arn import arns_in
from domain.evidence import Evidence
from domain.findings import Hypothesis
from domain.resource import ResourceType, resource_from_arn
from domain.trace import TraceCall
from specialists.awslambda.evidence import FunctionConfiguration, InvocationReports
from specialists.awslambda.reading import changed, errors_metric, failed_callees, metric, running
from specialists.awslambda.rules.stated import EVIDENCE
from specialists.awslambda.symptoms import TRACED, Seen, Symptom, diagnoses, unstated
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries

KEY = re.compile(
    r"KeyError: (?:key not found: )?['\"]([A-Za-z_][A-Za-z0-9_]{1,80})['\"]"
    r"|required key ([A-Z][A-Z0-9_]{1,80}) missing value"
)
ENVIRONMENT = re.compile(
    r"\benviron\b|environment variable|\benv(?:ironment)? var|getenv|process\.env|frozen os>|/os\.py", re.IGNORECASE
)
VARIABLE = re.compile(r"\b([A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){1,8})\b")
GIVEN = re.compile(
    r"AWS_|LAMBDA_|_HANDLER$|_X_AMZN|(?:PATH|LANG|TZ|LD_LIBRARY_PATH|NODE_PATH|NODE_OPTIONS|PYTHONPATH|GEM_PATH)$"
)
"""Variables that Lambda sets itself: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

SDK_ERROR = re.compile(
    r"An error occurred \(\w{1,80}\) when calling the \w{1,60} operation|\(Service: [\w ]{1,40}, Status Code: \d{3}"
    r"|operation error [\w ]{1,40}: \w{1,60},|\$metadata|botocore\.|software\.amazon\.awssdk"
    r"|Amazon\.\w{1,40}\.Model\.|\.amazonaws\.com",
    re.IGNORECASE,
)
"""An AWS SDK says that a call of the function failed (Python, Java, Go, JavaScript, .NET)."""

HTTP_FAILURE = re.compile(
    r"\b5\d\d (?:Server Error|Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)"
    r"|(?:status(?: code)?|HTTP)[ :=]{1,3}5\d\d\b",
    re.IGNORECASE,
)
REFUSED = re.compile(
    r"\bECONNRE(?:FUSED|SET)\b|Connection (?:refused|reset|aborted)|Remote end closed connection|RemoteDisconnected",
    re.IGNORECASE,
)
NO_ANSWER = re.compile(r"\bE?TIMEDOUT\b|timed? ?out|Timeout", re.IGNORECASE)

NO_WAY = re.compile(
    r"\bENOTFOUND\b|\bEAI_AGAIN\b|getaddrinfo|name resolution|Name or service not known|UnknownHost|no such host"
    r"|nodename nor servname|\bETIMEDOUT\b|\bE(?:HOST|NET)UNREACH\b|connect\w{0,6} ?time-?d? ?out"
    r"|dial tcp .{1,200}timeout",
    re.IGNORECASE,
)
"""A name that did not resolve, a connection that was never made: the code only reports it."""


def _variable(symptom: Symptom) -> tuple[str, bool] | None:
    """Return the variable whose absence a text complains of, and whether the text speaks of the environment."""
    of_environment = ENVIRONMENT.search(symptom.text) is not None or _frame_of_os(symptom.evidence)
    key = KEY.search(symptom.text)
    name = next((g for g in key.groups() if g), "") if key else ""
    if name and (of_environment or (name.isupper() and len(name) > 2)):
        return name, of_environment
    named = VARIABLE.search(symptom.headline) if of_environment else None
    return (named.group(1), True) if named else None


def _frame_of_os(evidence: Evidence) -> bool:
    return any((error.frame or "").startswith(("os.py", "<frozen os>")) for error in getattr(evidence, "errors", ()))


def _missing_variables(case: Case) -> dict[str, tuple[list[Symptom], bool]]:
    """Return the variables that failures ask for and the settings lack."""
    configuration = running(case)
    if configuration is None or configuration.env_error is not None:
        return {}
    found: dict[str, tuple[list[Symptom], bool]] = {}
    for symptom in unstated(case):
        asked = _variable(symptom)
        if asked is None or asked[0] in configuration.env_names or GIVEN.match(asked[0]):
            continue
        known, sure = found.get(asked[0], ([], False))
        found[asked[0]] = ([*known, symptom], sure or asked[1])
    return found


@rule("lambda-missing-env-var", sees=(*EVIDENCE, FunctionConfiguration, Change))
def variable_is_missing(case: Case) -> Iterator[Hypothesis]:
    """The code asks for a variable that the function's settings do not have."""
    configuration = running(case)
    for name, (asking, sure) in _missing_variables(case).items():
        evidence = tuple(dict.fromkeys(s.evidence for s in asking))
        since = min((s.at for s in asking if s.at), default=None)
        settings = changed(case, "UpdateFunctionConfiguration", before=since)
        touched = [c for c in settings if any(p.startswith("environment") for p in c.parameters)][-1:]
        who = f", after {touched[0].who} changed the variables" if touched else ""
        yield case.hypothesis(
            "lambda-missing-env-var",
            f"`{case.target.name}` asks for the variable `{name}`, which its settings do not have{who}:"
            f" {asking[0].headline}",
            proof=evidence if sure else (),
            strong=[*(() if sure else evidence), *([configuration] if configuration else ()), *touched],
            since=since,
        )


@rule("lambda-unhandled-exception", sees=(*EVIDENCE, MetricSeries, InvocationReports))
def exception_ends_invocations(case: Case) -> Iterator[Hypothesis]:
    """The code raises, and no sharper cause is stated."""
    failed = failed_callees(case)
    raised = [s for s in unstated(case) if s.fatal]
    if not raised:
        yield from _unexplained(case)
        return
    chosen = _most_telling(raised)
    same = [s for s in raised if s.type == chosen.type]
    callees = _behind(case, failed, same)
    stated = any(d.proof for d in diagnoses(case).values())
    remote = bool({"proof", "strong"} & set(_remote_calls(case).values()))
    no_way = any(NO_WAY.search(s.text) for s in same)
    sharper = stated or remote or no_way or bool(_missing_variables(case))
    since = min((s.at for s in same if s.at), default=None)
    evidence = tuple(dict.fromkeys(s.evidence for s in same))
    errors = errors_metric(case)
    certain = chosen.seen in TRACED or (2 * len(same) >= len(raised) and not case.segments())
    grade = "weak" if sharper else "proof" if certain and not callees else "strong" if certain or errors else "weak"
    count = f" ({len(same)} times since {since:%H:%M} UTC)" if len(same) > 1 and since else ""
    yield case.hypothesis(
        "lambda-unhandled-exception",
        f"`{case.target.name}` raised {chosen.headline}{count}{_after_calls(case, failed)}",
        proof=evidence if grade == "proof" else (),
        strong=[*(evidence if grade == "strong" else ()), *([errors] if errors and not sharper else ())],
        weak=[*(evidence if grade == "weak" else ()), *([errors] if errors and sharper else ())],
        since=since,
        defers_to=callees,
    )


def _most_telling(raised: list[Symptom]) -> Symptom:
    """Return the traced symptom, else the first of the most frequent type."""
    traced = next((s for s in raised if s.seen in TRACED), None)
    often = Counter(s.type for s in raised).most_common(1)[0][0]
    return traced or next(s for s in raised if s.type == often)


def _behind(case: Case, failed: tuple[str, ...], raised: list[Symptom]) -> tuple[str, ...]:
    """Return the resources whose failure would explain the exception."""
    named = [resource_from_arn(arn).id for s in raised for arn in arns_in(s.text)]
    callees = [*failed, *(i for i in named if i != case.target.id and case.graph.node(i))]
    if not callees and any(SDK_ERROR.search(s.text) for s in raised):
        callees = list(case.graph.callees(case.target.id))
    return tuple(dict.fromkeys(callees))


def _after_calls(case: Case, failed: tuple[str, ...]) -> str:
    nodes = [case.graph.node(i) for i in failed]
    names = dict.fromkeys(n.label for n in nodes if n is not None)
    return f" after its call to {', '.join(names)} failed" if names else ""


def _unexplained(case: Case) -> Iterator[Hypothesis]:
    """Name the exception weakly where invocations fail and nothing tells why."""
    errors = errors_metric(case)
    segments = tuple(s for s in case.segments(failed=True) if not s.throttle)
    if diagnoses(case) or not (errors or segments) or any(s.seen in TRACED for s in unstated(case)):
        return
    invocations = metric(case, "Invocations")
    share = (
        f"{errors.total:g} of {invocations.total:g} invocations"
        if errors and invocations and invocations.total
        else "Invocations"
    )
    failed = failed_callees(case)
    yield case.hypothesis(
        "lambda-unhandled-exception",
        f"{share} of `{case.target.name}` failed{_after_calls(case, failed)}, and no error text was found",
        weak=[*segments, *([errors] if errors else ())],
        since=errors.first_over(0) if errors else segments[0].start,
        defers_to=failed,
    )


def _remote(case: Case, call: TraceCall) -> bool:
    node = case.graph.node(call.resource)
    kind = node.type.value if node else call.resource.partition(":")[0]
    return kind == ResourceType.REMOTE.value


def _remote_calls(case: Case) -> dict[TraceCall, str | None]:
    """Return the calls to hosts outside AWS, with what each carries."""
    configuration = running(case)
    outside = configuration is not None and not configuration.vpc_id
    waited_out = outside and "lambda-timeout" in diagnoses(case)
    calls = (call for call in case.calls_from() if _remote(case, call))
    return {call: _remote_grade(call, outside=outside, waited_out=waited_out) for call in calls}


def _remote_grade(call: TraceCall, *, outside: bool, waited_out: bool) -> str | None:
    """Say what a remote call carries: its own server error proves, a lost connection is strong, silence is weak.

    Silence is strong where no network of our own can be what swallows the answers (`outside`) and the caller gave up
    over it: by an error of its own, or as its time was over (`waited_out`).
    """
    words = " ".join(f"{e.type} {e.message}" for e in call.errors)
    if call.http_status is not None and call.http_status >= 500:
        return "proof"
    if call.http_status is not None and call.failed:
        return "strong" if call.http_status == 429 else None
    if call.failed and REFUSED.search(words):
        return "strong"
    if (call.pending and waited_out) or (call.failed and outside and NO_ANSWER.search(words)):
        return "strong"
    return "weak" if call.pending or call.fault or NO_ANSWER.search(words) else None


@rule("downstream-http-error", sees=(*EVIDENCE, TraceCall))
def remote_service_fails(case: Case) -> Iterator[Hypothesis]:
    """A service outside AWS answers with server errors, drops connections, or does not answer."""
    graded = _remote_calls(case)
    recovered = bool(case.segments()) and not case.segments(failed=True)
    calls = [c for c, grade in graded.items() if grade and (c.failed or not recovered)]
    logged = [s for s in unstated(case) if _speaks_of_remote(s)]
    if not calls and not logged:
        return
    grades = {c: "weak" if recovered else graded[c] for c in calls}
    hosts = ", ".join(dict.fromkeys(f"`{c.service}`" for c in calls)) or "a remote host"
    what = calls[0].summary() if calls else logged[0].headline
    yield case.hypothesis(
        "downstream-http-error",
        f"Calls of `{case.target.name}` to {hosts} fail: {what}",
        proof=[c for c in calls if grades[c] == "proof"],
        strong=[*(c for c in calls if grades[c] == "strong"), *_logs_of(logged, "strong")],
        weak=[*(c for c in calls if grades[c] == "weak"), *_logs_of(logged, "weak")],
        since=min([c.start for c in calls] + [s.at for s in logged if s.at], default=None),
    )


def _speaks_of_remote(symptom: Symptom) -> bool:
    words = symptom.text
    fails = HTTP_FAILURE.search(words) or REFUSED.search(words)
    return (
        bool(fails)
        and SDK_ERROR.search(words) is None
        and re.search(r"https?://|host=|\w\.(?:com|io|net|org)\b", words) is not None
    )


def _logs_of(symptoms: list[Symptom], grade: str) -> list[Evidence]:
    ended = [s for s in symptoms if (s.fatal and s.seen in {Seen.REQUEST, Seen.TRACE, Seen.LOG}) is (grade == "strong")]
    return list(dict.fromkeys(s.evidence for s in ended))


CODE_RULES: tuple[Rule, ...] = (variable_is_missing, exception_ends_invocations, remote_service_fails)
