"""What the S3 specialist concludes: each cause beside a near miss."""

import json

import pytest

from domain.causes import CAUSES
from domain.findings import Strength
from specialists.kit.policies import Asked, Verdict, policy_of
from specialists.kit.policies import said as policy_said
from specialists.s3 import SPECIALIST
from specialists.s3.evidence import Expiry, Lifecycle, MetricsConfiguration, Ownership, Versioning
from specialists.s3.rules import RULES
from specialists.s3.signs import Reading, read_text
from tests.specialists.s3_building import (
    BUCKET,
    FUNCTION,
    KEY,
    OTHER,
    ROLE,
    USER,
    block,
    bucket,
    call,
    change,
    encryption,
    graph,
    judged,
    key,
    log,
    minute,
    notifying,
    policy,
    proven,
    receiver,
    requests,
    runs,
    said,
    segment,
    strengths,
)

WEAK, STRONG = {Strength.WEAK}, {Strength.STRONG}


def statement(effect: str, principal: object, action: object, resource: str = f"{BUCKET}/*", **more: object) -> str:
    one = {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [one]})


# --- texts of every SDK


@pytest.mark.parametrize(
    ("text", "operation", "reading"),
    [
        ("NoSuchKey: The specified key does not exist.", "", Reading.NO_KEY),
        ("The specified key does not exist. (Service: Amazon S3; Status Code: 404; Error Code: NoSuchKey)", "", Reading.NO_KEY),
        ("operation error S3: HeadObject, https response error StatusCode: 404, api error NotFound: Not Found", "HeadObject", Reading.NO_KEY),
        ("404 An error occurred (404) when calling the HeadBucket operation: Not Found", "HeadBucket", Reading.NO_BUCKET),
        ("404 Not Found", "PutObjectTagging", None),
        ("NoSuchVersion: The specified version does not exist.", "", Reading.NO_KEY),
        ("NoSuchBucket: The specified bucket does not exist", "", Reading.NO_BUCKET),
        ("NoSuchBucketPolicy: The bucket policy does not exist", "", None),
        ("PermanentRedirect: The bucket is in this region: us-east-2. Please use this region to retry", "", Reading.REGION),
        ("AuthorizationHeaderMalformed: the region 'us-east-1' is wrong; expecting 'eu-west-1'", "", Reading.REGION),
        ("AuthorizationHeaderMalformed: The authorization header is malformed; missing credential", "", None),
        ("IllegalLocationConstraintException: The eu-west-3 location constraint is incompatible", "", Reading.REGION),
        ("301 An error occurred (301) when calling the HeadObject operation: Moved Permanently", "HeadObject", Reading.REGION),
        ("SlowDown: Please reduce your request rate.", "", Reading.SLOW),
        ("Slow Down (Service: S3, Status Code: 503, Request ID: x)", "", Reading.SLOW),
        ("503 Service Unavailable", "", Reading.BUSY),
        ("AccessDenied: Access Denied", "", Reading.DENIED),
        ("403 An error occurred (403) when calling the HeadObject operation: Forbidden", "", Reading.DENIED),
        ("AccessDenied: Request has expired", "", None),
        ("SignatureDoesNotMatch (403): The request signature we calculated does not match", "", None),
        ("AccessControlListNotSupported: The bucket does not allow ACLs", "", Reading.ACL),
        ("x is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access", "", Reading.PUBLIC),
        ("InvalidArgument: Unable to validate the following destination configurations", "", Reading.DESTINATION),
        (f"KMS.DisabledException: {KEY} is disabled.", "", Reading.KEY),
        (f"AccessDenied: {USER}kms:Decrypt on resource: {KEY}", "", Reading.KEY),
        (f"KMS.KMSInvalidStateException: {KEY} is pending deletion.", "", Reading.KEY_GOING),
        (f"KMS.NotFoundException: Key '{KEY}' does not exist", "", Reading.KEY_GONE),
        ("ThrottlingException: You have exceeded the rate at which you may call KMS.", "", Reading.KEY_RATE),
        ("InternalError: We encountered an internal error.", "", None),
    ],
)  # fmt: skip
def test_texts_are_read(text: str, operation: str, reading: Reading | None) -> None:
    assert read_text(text, operation) is reading


@pytest.mark.parametrize(
    ("status", "operation", "cause"),
    [
        (404, "HeadBucket", "s3-no-such-bucket"),
        (404, "GetObject", "s3-no-such-key"),
        (301, "GetObject", "s3-wrong-region"),
        (403, "PutObject", "s3-access-denied"),
        (503, "PutObject", "s3-slow-down"),
    ],
)
def test_a_status_without_words_is_read_too(status: int, operation: str, cause: str) -> None:
    assert set(judged(call(operation=operation, http_status=status, error=True))) == {cause}
    assert judged(call(operation="DeleteObjectTagging", http_status=404, error=True)) == {}


# --- the bucket is not there


def test_calls_to_a_bucket_that_is_gone_prove_it() -> None:
    found = judged(
        call("NoSuchBucket", "The specified bucket does not exist"), bucket(exists=False), change("DeleteBucket")
    )

    assert proven(found) == set(found) == {"s3-no-such-bucket"}
    assert found["s3-no-such-bucket"].resource == BUCKET
    assert "`deploy-bot` made DeleteBucket at 09:51" in found["s3-no-such-bucket"].summary


def test_a_missing_bucket_is_named_without_a_trace_but_not_against_one() -> None:
    assert proven(judged(bucket(exists=False))) == {"s3-no-such-bucket"}
    assert judged(bucket(exists=False), call()) == {}
    assert judged(bucket()) == {}


def test_a_bucket_that_exists_now_speaks_against_its_absence() -> None:
    assert judged(call("NoSuchBucket", "x"), bucket())["s3-no-such-bucket"].contradicting


# --- the object is not there

MISSING = ("NoSuchKey", "The specified key does not exist.")


def test_a_caller_that_fails_on_a_missing_object_proves_it() -> None:
    found = judged(call(*MISSING, key="2026/invoice.pdf"), segment())

    assert proven(found) == set(found) == {"s3-no-such-key"}
    assert "`2026/invoice.pdf`" in found["s3-no-such-key"].summary


def test_a_caller_that_goes_on_only_looked_whether_it_exists() -> None:
    found = judged(call("404", "Not Found", "HeadObject"))

    assert strengths(found["s3-no-such-key"]) == WEAK
    assert "went on" in found["s3-no-such-key"].summary


def test_a_caller_that_fails_for_another_call_proves_nothing_here() -> None:
    other = call(
        "ProvisionedThroughputExceededException", "x", resource="arn:aws:dynamodb:eu-west-1:123456789012:table/t"
    )

    assert proven(judged(call(*MISSING), segment(), other)) == set()


@pytest.mark.parametrize(("asked", "encoded"), [("a%20b.png", True), ("a+b.png", True), ("a b.png", False)])
def test_a_key_as_events_give_it_is_recognised(asked: str, encoded: bool) -> None:
    summary = judged(call(*MISSING, key=asked), segment())["s3-no-such-key"].summary

    assert ("URL-encoded" in summary) is encoded


def test_a_denied_listing_in_a_read_of_one_object_hides_that_it_is_missing() -> None:
    words = f"{USER}s3:ListBucket on resource: {BUCKET} because no identity-based policy allows the action"
    denied = call("AccessDenied", words, key="2026/nov.json")

    found = judged(bucket(), segment(), denied)
    listed = judged(bucket(), segment(), call("AccessDenied", words, operation="ListObjectsV2"))

    assert proven(found) == {"s3-no-such-key"}
    assert "instead of 404" in found["s3-no-such-key"].summary
    assert "s3-access-denied" in listed
    assert "s3-no-such-key" not in listed


def test_a_lifecycle_rule_for_the_prefix_is_said() -> None:
    rules = Lifecycle(resource=BUCKET, source="s3:x", expiries=(Expiry(rule="tidy", prefix="tmp/", days=1),))

    assert "`tidy` deletes" in judged(call(*MISSING, key="tmp/a"), segment(), rules)["s3-no-such-key"].summary
    assert "tidy" not in judged(call(*MISSING, key="keep/a"), segment(), rules)["s3-no-such-key"].summary


def test_versions_of_a_missing_object_are_advised() -> None:
    kept = Versioning(resource=BUCKET, source="s3:GetBucketVersioning", status="Enabled")

    assert any("delete marker" in text for text in said(call(*MISSING), segment(), kept))


@pytest.mark.parametrize(
    "evidence",
    [
        segment(("S3.S3Exception", "The specified key does not exist. (Service: S3, Status Code: 404)")),
        log(
            "Traceback (most recent call last): NoSuchKey: when calling the GetObject operation: The specified key does not exist."
        ),
    ],
    ids=["segment", "log"],
)
def test_a_callers_own_words_count_when_they_are_about_this_bucket(evidence) -> None:
    assert proven(judged(evidence)) == {"s3-no-such-key"}
    assert judged(evidence, around=graph("arn:aws:s3:::other")) == {}


# --- the Region


def test_a_redirect_proves_the_wrong_region() -> None:
    found = judged(call("PermanentRedirect", "The bucket is in this region: us-east-2."), bucket("us-east-2"))

    assert proven(found) == set(found) == {"s3-wrong-region"}
    assert ", us-east-2; its caller runs in eu-west-1" in found["s3-wrong-region"].summary


def test_a_bucket_elsewhere_without_an_error_is_no_finding_but_advice() -> None:
    assert judged(bucket("us-east-2"), call()) == {}
    assert any(text.startswith("Ask again for Region us-east-2") for text in said(bucket("us-east-2")))
    assert not any("Ask again" in text for text in said(bucket()))


# --- too fast


def test_counts_are_written_out_and_agree_with_their_verb() -> None:
    (one,) = judged(bucket(), call("SlowDown", "Reduce your request rate."), requests("5xxErrors", 1_560_000)).values()
    two = judged(
        bucket(), call("SlowDown", "Reduce your request rate."), call("SlowDown", "Reduce your request rate.", at=17)
    )["s3-slow-down"]

    assert "1 `GetObject` to `invoices-eu` was told to slow down; 1560000 server errors" in one.summary
    assert "2 `GetObject` to `invoices-eu` were told" in two.summary


def test_slow_down_proves_it() -> None:
    assert proven(judged(call("SlowDown", "Please reduce your request rate."))) == {"s3-slow-down"}


def test_a_bare_503_and_a_rise_of_server_errors_prove_nothing() -> None:
    bare = call("503", "Service Unavailable")

    assert strengths(judged(bare)["s3-slow-down"]) == WEAK
    assert strengths(judged(bare, requests("5xxErrors", 90, usual=1))["s3-slow-down"]) == WEAK | STRONG
    assert strengths(judged(requests("5xxErrors", 90, usual=1))["s3-slow-down"]) == WEAK
    assert judged(requests("5xxErrors", 9, usual=9)) == {}
    assert judged(requests("5xxErrors", 2)) == {}


# --- access denied

TERSE = ("AccessDenied", "Access Denied")
DENY = statement("Deny", "*", "s3:GetObject")


def test_a_bare_denial_alone_fits_too_much() -> None:
    found = judged(call(*TERSE), policy())

    assert strengths(found["s3-access-denied"]) == WEAK
    assert any("missing object" in text for text in said(call(*TERSE)))
    assert not any("missing object" in text for text in said(call(*TERSE, "PutObject")))


def test_a_deny_in_the_bucket_policy_proves_it() -> None:
    found = judged(call(*TERSE), policy(DENY), change("PutBucketPolicy"))

    assert proven(found) == set(found) == {"s3-access-denied"}
    assert "explicit Deny in the bucket policy; `deploy-bot` made PutBucketPolicy" in found["s3-access-denied"].summary


@pytest.mark.parametrize(
    "other",
    [
        statement("Deny", "*", "s3:PutObject"),
        statement("Deny", {"AWS": "arn:aws:iam::123456789012:role/other"}, "s3:GetObject"),
        statement("Deny", "*", "s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
        statement("Deny", "*", "s3:*", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
        statement("Deny", "*", "s3:GetObject", f"{BUCKET}/private/*"),
        statement("Allow", "*", "s3:GetObject"),
        json.dumps({"Statement": [{"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "s3:*", "Resource": "*"}]}),
        json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "NotResource": f"{BUCKET}/pub/*"}]}),
        "{broken",
    ],
)  # fmt: skip
def test_a_bucket_policy_that_need_not_apply_proves_nothing(other: str) -> None:
    assert proven(judged(call(*TERSE), policy(other))) == set()


def test_a_deny_for_the_named_role_applies() -> None:
    text = ("AccessDenied", f"{USER}s3:GetObject on resource: {BUCKET}/a")

    assert proven(judged(call(*text), policy(statement("Deny", {"AWS": ROLE}, "s3:*")))) == {"s3-access-denied"}
    assert proven(judged(call(*text), policy(statement("Deny", {"AWS": ROLE + "-2"}, "s3:*")))) == set()


def test_a_bucket_wide_deny_applies_to_listing() -> None:
    listing = call(*TERSE, "ListObjectsV2")

    assert proven(judged(listing, policy(statement("Deny", "*", "s3:ListBucket", BUCKET)))) == {"s3-access-denied"}
    assert proven(judged(listing, policy(statement("Deny", "*", "s3:ListBucket")))) == set()


def test_a_policy_written_just_before_makes_it_strong() -> None:
    assert strengths(judged(call(*TERSE), policy(), change("PutBucketPolicy"))["s3-access-denied"]) == STRONG
    assert strengths(judged(call(*TERSE), policy(), change("PutBucketPolicy", at=19))["s3-access-denied"]) == WEAK
    assert strengths(judged(call(*TERSE), policy(), change("PutBucketPolicy", at=-60))["s3-access-denied"]) == WEAK
    refused = change("PutBucketPolicy", error=("AccessDenied", "x"))
    assert strengths(judged(call(*TERSE), policy(), refused)["s3-access-denied"]) == WEAK


@pytest.mark.parametrize(
    "words",
    [
        "no identity-based policy allows the s3:GetObject action",
        "no permissions boundary allows the s3:GetObject action",
    ],
)
def test_words_of_the_callers_side_leave_the_case_to_iam(words: str) -> None:
    found = judged(call("AccessDenied", f"{USER}s3:GetObject on resource: {BUCKET}/a because {words}"), policy(DENY))

    assert strengths(found["s3-access-denied"]) == WEAK
    assert found["s3-access-denied"].defers_to == (ROLE,)


def test_words_of_a_resource_policy_prove_it() -> None:
    text = f"{USER}s3:GetObject on resource: {BUCKET}/a with an explicit deny in a resource-based policy"

    assert proven(judged(call("AccessDenied", text))) == {"s3-access-denied"}
    assert CAUSES["s3-access-denied"].generic


def test_acls_that_are_off_are_strong() -> None:
    off = Ownership(resource=BUCKET, source="s3:GetBucketOwnershipControls", setting="BucketOwnerEnforced")
    found = judged(call("AccessControlListNotSupported", "The bucket does not allow ACLs", "PutObject"), off)

    assert strengths(found["s3-access-denied"]) == STRONG
    assert "ACLs are off" in found["s3-access-denied"].summary


# --- Block Public Access

SHUT = block(restrict_buckets=True, ignore_acls=True)
ANONYMOUS = ("AccessDenied", "User: anonymous is not authorized to perform: s3:GetObject")
OPEN = statement("Allow", "*", "s3:GetObject")


def test_words_of_block_public_access_prove_it() -> None:
    text = "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access"
    found = judged(call("AccessDenied", text, "PutBucketPolicy"), block(block_policy=True))

    assert proven(found) == set(found) == {"s3-block-public-access"}


def test_an_unsigned_read_of_an_open_bucket_that_is_shut_proves_it() -> None:
    found = judged(call(*ANONYMOUS), SHUT, policy(OPEN), change("PutBucketPublicAccessBlock"))

    assert proven(found) == {"s3-block-public-access"}
    assert found["s3-block-public-access"].since == minute(15)


def test_an_unsigned_read_of_a_bucket_that_was_never_open_is_strong_at_most() -> None:
    assert proven(judged(call(*ANONYMOUS), SHUT, policy())) == set()


@pytest.mark.parametrize("setting", [block(), block(block_policy=True, block_acls=True)])
def test_settings_that_stop_no_reads_are_not_why(setting) -> None:
    found = judged(call(*ANONYMOUS), setting, policy(OPEN), change("PutBucketPublicAccessBlock"))

    assert "s3-block-public-access" not in found


def test_a_rise_of_client_errors_after_it_was_switched_on_is_strong() -> None:
    rise = requests("4xxErrors", 300, usual=2)

    assert strengths(judged(rise, SHUT, change("PutBucketPublicAccessBlock"))["s3-block-public-access"]) == STRONG
    assert judged(rise, SHUT) == {}
    assert judged(rise, SHUT, change("PutBucketPublicAccessBlock", at=19)) == {}


def test_a_signed_request_is_not_what_it_stops() -> None:
    named = call("AccessDenied", f"{USER}s3:GetObject on resource: x")

    assert "s3-block-public-access" not in judged(named, SHUT, policy(OPEN), change("PutBucketPublicAccessBlock"))
    bare = judged(call(*TERSE), SHUT, policy(OPEN), change("PutBucketPublicAccessBlock"))
    assert strengths(bare["s3-block-public-access"]) == WEAK


# --- keys


def test_a_disabled_key_proves_it() -> None:
    found = judged(call("KMS.DisabledException", f"{KEY} is disabled."), encryption(), key("Disabled"))

    assert proven(found) == set(found) == {"s3-kms-denied"}
    assert "switched off" in found["s3-kms-denied"].summary


def test_a_key_that_refuses_the_caller_proves_it_unless_iam_judges_the_caller() -> None:
    denial = f"{USER}kms:Decrypt on resource: {KEY}"
    identity = f"{denial} because no identity-based policy allows the kms:Decrypt action"

    assert proven(judged(call("AccessDenied", denial), encryption(), key())) == {"s3-kms-denied"}
    found = judged(call("AccessDenied", identity), encryption(), key())
    assert strengths(found["s3-kms-denied"]) == STRONG
    assert found["s3-kms-denied"].defers_to == (ROLE,)


def test_a_bare_denial_of_encrypted_objects_only_raises_a_suspicion() -> None:
    found = judged(call(*TERSE), encryption(), key())

    assert strengths(found["s3-kms-denied"]) == WEAK
    assert "s3-kms-denied" not in judged(call(*TERSE), encryption(""))
    assert "s3-kms-denied" not in judged(call(*TERSE), encryption("alias/aws/s3"))
    assert "s3-kms-denied" not in judged(call(*TERSE, "ListObjectsV2"), encryption())


def test_a_bare_denial_after_the_key_was_changed_is_strong() -> None:
    found = judged(call(*TERSE, "PutObject"), encryption(), change("PutBucketEncryption"))

    assert Strength.STRONG in strengths(found["s3-kms-denied"])


def test_a_key_that_waits_for_deletion_is_accused_itself() -> None:
    text = ("KMS.KMSInvalidStateException", f"{KEY} is pending deletion.")
    for evidence in ((call(*text), encryption(), key("PendingDeletion")), (call(*text),)):
        found = judged(*evidence)

        assert proven(found) == {"kms-pending-deletion"}
        assert found["kms-pending-deletion"].resource == KEY
        assert KEY in found["s3-kms-denied"].defers_to


def test_a_key_going_while_calls_succeed_is_advice() -> None:
    assert judged(encryption(), key("PendingDeletion"), call()) == {}
    assert any("save it" in text for text in said(encryption(), key("PendingDeletion"), call()))


@pytest.mark.parametrize(
    ("state", "made", "where"),
    [("PendingDeletion", "ScheduleKeyDeletion", KEY), ("Disabled", "DisableKey", BUCKET)],
)
def test_who_took_the_key_away_is_named_where_its_cause_is(state: str, made: str, where: str) -> None:
    text = f"{KEY} is pending deletion." if state == "PendingDeletion" else f"KMS key {KEY} is disabled."
    refused = call("KMS.KMSInvalidStateException", text)
    before = change(made, at=15).model_copy(update={"resource": KEY})
    after = change(made, at=30).model_copy(update={"resource": KEY})

    found = judged(bucket(), key(state), refused, before)["deploy-regression"]

    assert found.resource == where
    assert made in found.summary
    assert "deploy-regression" not in judged(bucket(), key(state), refused, after)
    assert "deploy-regression" not in judged(bucket(), key("Enabled"), refused, before)
    assert "deploy-regression" not in judged(bucket(), key(state), before)


def test_another_keys_deletion_is_not_why_this_one_refuses() -> None:
    other = KEY.replace("1111", "9999")
    found = judged(
        call("AccessDenied", f"{USER}kms:Decrypt on resource: {other}"),
        encryption(),
        key(key_arn=KEY, state="PendingDeletion"),
    )

    assert proven(found) == {"s3-kms-denied"}


def test_a_key_that_does_not_exist_is_named_at_the_bucket() -> None:
    text = ("KMS.NotFoundException", f"Key '{KEY}' does not exist")
    for evidence in ((call(*text), encryption(), key("", exists=False)), (call(*text),)):
        found = judged(*evidence)

        assert proven(found) == {"kms-key-not-found"}
        assert found["kms-key-not-found"].resource == BUCKET


def test_a_default_key_that_is_gone_and_hurts_nobody_is_no_finding() -> None:
    assert judged(encryption(), key("", exists=False), call()) == {}


def test_kms_throttling_is_its_own_cause_and_says_that_the_bucket_key_is_off() -> None:
    text = ("KMS.ThrottlingException", "You have exceeded the rate at which you may call KMS.")

    assert set(judged(call(*text, "PutObject"))) == {"kms-throttled"}
    assert "bucket key is off" in judged(call(*text), encryption())["kms-throttled"].summary
    assert "bucket key" not in judged(call(*text), encryption(bucket_key=True))["kms-throttled"].summary


# --- notifications

INVALID = ("InvalidArgument", "Unable to validate the following destination configurations")


def test_a_rejected_destination_proves_it() -> None:
    asked = change("PutBucketNotification", error=INVALID, function=FUNCTION)
    found = judged(asked, notifying(), receiver(verdict=Verdict.SILENT))

    assert proven(found) == set(found) == {"s3-notification-invalid-dest"}
    assert "`thumbnail` does not let S3 in by its policy" in found["s3-notification-invalid-dest"].summary


def test_the_words_alone_prove_it_too() -> None:
    put = call(*INVALID, "PutBucketNotificationConfiguration")

    assert proven(judged(put)) == {"s3-notification-invalid-dest"}
    assert judged(change("PutBucketNotification", error=("AccessDenied", "x"))) == {}


@pytest.mark.parametrize("broken", [receiver(verdict=Verdict.SILENT), receiver(exists=False)])
def test_a_destination_that_refuses_and_no_longer_runs_proves_it(broken) -> None:
    assert proven(judged(notifying(FUNCTION), broken, runs())) == {"s3-notification-invalid-dest"}
    assert strengths(judged(notifying(FUNCTION), broken)["s3-notification-invalid-dest"]) == STRONG
    assert proven(judged(notifying(FUNCTION), broken, runs(now=3))) == set()


@pytest.mark.parametrize(
    "fine",
    [receiver(), receiver(verdict=Verdict.UNCLEAR), receiver(verdict=Verdict.SILENT, unread="it is in us-east-1")],
)
def test_a_destination_that_may_let_s3_in_is_no_finding(fine) -> None:
    assert judged(notifying(FUNCTION), fine, runs()) == {}


def test_a_function_that_is_no_destination_need_not_let_s3_in() -> None:
    assert judged(notifying(), receiver(verdict=Verdict.SILENT), runs()) == {}


def test_a_configuration_that_was_overwritten_proves_the_missing_notification() -> None:
    first = change("PutBucketNotification", at=-60, function=FUNCTION)
    second = change("PutBucketNotification", at=10, function=OTHER)
    found = judged(first, second, notifying(OTHER), receiver(), runs())

    assert proven(found) == set(found) == {"s3-notification-missing"}
    assert "`thumbnail` may be notified" in found["s3-notification-missing"].summary
    assert found["s3-notification-missing"].since == minute(10)


def test_without_the_functions_silence_it_is_strong() -> None:
    puts = [change("PutBucketNotification", at=at, function=arn) for at, arn in ((-60, FUNCTION), (10, OTHER))]

    assert strengths(judged(puts, notifying(OTHER))["s3-notification-missing"]) == STRONG
    assert judged(puts, notifying(OTHER, FUNCTION)) == {}


def test_a_function_that_may_be_invoked_and_is_not_configured_is_suspicious() -> None:
    assert strengths(judged(notifying(), receiver())["s3-notification-missing"]) == WEAK | STRONG
    assert proven(judged(notifying(), receiver(), runs())) == {"s3-notification-missing"}
    assert judged(notifying(FUNCTION), receiver()) == {}
    assert judged(receiver(), runs()) == {}


def test_a_permission_of_a_function_that_runs_may_be_a_left_over() -> None:
    may = [notifying(), receiver(FUNCTION)]

    runs_now = judged(bucket(), *may, runs(now=40, usual=40))
    not_known = judged(bucket(), *may)

    assert strengths(runs_now["s3-notification-missing"]) == WEAK
    assert strengths(not_known["s3-notification-missing"]) == STRONG | WEAK


def test_an_object_that_no_filter_takes_is_said() -> None:
    put = call(operation="PutObject", key="raw/a.jpg")
    found = judged(put, notifying(FUNCTION, prefix="in/", suffix=".png"), runs())

    assert strengths(found["s3-notification-missing"]) == STRONG
    assert (
        "`raw/a.jpg` of `invoices-eu` fits no notification's filter (`in/*.png`)"
        in found["s3-notification-missing"].summary
    )
    assert strengths(judged(put, notifying(FUNCTION, prefix="in/"))["s3-notification-missing"]) == WEAK


@pytest.mark.parametrize("filters", [{}, {"prefix": "raw/"}, {"suffix": ".jpg"}])
def test_an_object_that_a_filter_takes_is_no_finding(filters: dict[str, str]) -> None:
    assert judged(call(operation="PutObject", key="raw/a.jpg"), notifying(FUNCTION, **filters), runs()) == {}


# --- facts


def test_facts_say_what_is_normal() -> None:
    kept = MetricsConfiguration(resource=BUCKET, source="s3:x")
    told = said(bucket(), call(), policy(), SHUT, encryption(""), notifying(FUNCTION), receiver(), kept)

    assert "Bucket `invoices-eu` exists in eu-west-1" in told
    assert "The one call to `invoices-eu` succeeded" in told
    assert any("IgnorePublicAcls, RestrictPublicBuckets" in text for text in told)
    assert any("nothing keeps it from `thumbnail`" in text for text in told)
    assert any("keeps no request metrics" in text for text in told)


# --- policies and the specialist


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (statement("Allow", "*", "s3:GetObject"), Verdict.ALLOWED),
        (statement("Allow", "*", "s3:Get*", Condition={"StringEquals": {"aws:SourceVpc": "v"}}), Verdict.UNCLEAR),
        (statement("Deny", {"AWS": "*"}, "S3:getobject"), Verdict.DENIED),
        (statement("Deny", {"AWS": ROLE}, "s3:GetObject"), Verdict.SILENT),
        ("", Verdict.SILENT),
    ],
)
def test_bucket_policies_are_read_for_an_unknown_caller(text: str, verdict: Verdict) -> None:
    assert policy_said(policy_of(text), Asked("s3:GetObject", f"{BUCKET}/*", (), {})) is verdict


def test_every_cause_of_buckets_is_named_by_a_rule() -> None:
    declared = {cause for rule in RULES for cause in rule.causes}

    assert {code for code, cause in CAUSES.items() if cause.service == "s3"} <= declared
    assert {"kms-pending-deletion", "kms-key-not-found"} <= declared
    assert all(rule.doc for rule in SPECIALIST.rules)


def test_thousands_of_log_lines_are_judged_in_no_time() -> None:
    line = "[ERROR] ClientError: An error occurred (AccessDenied) when calling the PutObject operation: " + "x" * 3000

    assert "s3-access-denied" in judged(log(*[line] * 3000))
