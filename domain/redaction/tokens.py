"""Secrets that are known by their own shape, whatever stands around them.

Shapes: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html (access key ids),
https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github,
https://api.slack.com/authentication/token-types, https://docs.stripe.com/keys, RFC 7519 (JWT), RFC 7468 (PEM).
"""

import base64
import binascii
import re

from domain.redaction.shape import Rule, entropy, inside_arn, mixes_all, random_looking, rule, secret_of


def _random(match: re.Match[str]) -> bool:
    return random_looking(secret_of(match))


def _aws_secret_key(match: re.Match[str]) -> bool:
    text = match.group()
    page = re.search(r"(?i)token[\"' :=]{1,6}$", match.string[max(0, match.start() - 16) : match.start()])
    return mixes_all(text) and entropy(text) >= 4.3 and not page and not inside_arn(match)


def _basic_credentials(match: re.Match[str]) -> bool:
    """`Basic` is followed by base64 of `user:password`; "basic authentication" is not."""
    text = secret_of(match)
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return random_looking(text)


def _card_number(match: re.Match[str]) -> bool:
    """Check the issuer's range with its length, and the Luhn digit."""
    digits = re.sub(r"\D", "", match.group())
    issued = re.fullmatch(
        r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}|6(?:011|4[4-9]\d|5\d\d)\d{12}",
        digits,
    )
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return issued is not None and sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _address(match: re.Match[str]) -> bool:
    """Leave `git@host:path` and the session names of ARNs."""
    return secret_of(match) != "git" and not inside_arn(match)


START = r"(?<![A-Za-z0-9])"
END = r"(?![A-Za-z0-9])"

BLOCKS: tuple[Rule, ...] = (
    rule(
        "private_key",
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:[^-]|-(?!----)){0,12000}+-----END [A-Z0-9 ]{0,60}-----"
        r"|(?:(?:\s|\\[nr]){0,4}[A-Za-z0-9+/=]{16,128}){0,200})",
    ),
    rule("private_key", "age-secret-key-", r"AGE-SECRET-KEY-1[A-Z0-9]{20,80}"),
)

TOKENS: tuple[Rule, ...] = (
    rule("aws_access_key", "akia asia abia acca", START + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}" + END),
    rule(
        "aws_session_token",
        "iqojb3jpz2lu fwog fqog aqod aqoe",
        START + r"(?:IQoJb3JpZ2lu|FwoG|FQoG|AQoD|AQoE)[A-Za-z0-9+/=%]{60,4096}",
    ),
    rule(
        "jwt",
        "eyj",
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4096}+(?:\.[A-Za-z0-9_-]{2,8192}+)(?:\.[A-Za-z0-9_-]{0,8192}+){0,3}",
    ),
    rule("gitlab_token", "glpat- gldt- glrt-", START + r"gl(?:pat|dt|rt)-[A-Za-z0-9_.-]{16,255}"),
    rule("slack_token", "xox", START + r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,255}"),
    rule("slack_token", "xapp-", START + r"xapp-\d-[A-Za-z0-9-]{10,255}"),
    rule(
        "slack_webhook",
        "hooks.slack",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{10,255})",
    ),
    rule("stripe_key", "_live_ _test_", START + r"[srp]k_(?:live|test)_[A-Za-z0-9]{10,255}"),
    rule("webhook_secret", "whsec_", START + r"whsec_[A-Za-z0-9+/=]{16,255}"),
    rule("google_key", "aiza", START + r"AIza[A-Za-z0-9_-]{30,60}"),
    rule("google_token", "ya29. gocspx- 1//0", START + r"(?:ya29\.|GOCSPX-|1//0)[A-Za-z0-9_-]{16,2048}"),
    rule("github_token", "gh", START + r"gh[pousr]_[A-Za-z0-9]{20,255}"),
    rule("github_token", "github_pat_", START + r"github_pat_[A-Za-z0-9_]{20,255}"),
    rule("ai_key", "sk-", r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{20,255}", _random),
    rule("ai_key", "gsk_ xai- hf_ r8_ pplx-", START + r"(?:gsk_|xai-|hf_|r8_|pplx-)[A-Za-z0-9]{30,255}"),
    rule("registry_token", "npm_ pypi-", START + r"(?:npm_|pypi-)[A-Za-z0-9_-]{30,255}", _random),
    rule("mail_key", "sg.", START + r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}"),
    rule("mail_key", "key-", r"(?<![A-Za-z0-9_-])key-[0-9a-f]{32}" + END),
    rule("twilio_key", "sk", START + r"SK[0-9a-f]{32}" + END),
    rule("vault_token", "hvs. hvb.", START + r"hv[sb]\.[A-Za-z0-9_-]{20,255}"),
    rule("databricks_token", "dapi", START + r"dapi[0-9a-f]{32}(?:-\d)?" + END),
    rule("shop_token", "shp", START + r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}" + END),
    rule("square_token", "sq0", START + r"sq0[a-z]{3}-[A-Za-z0-9_-]{20,60}"),
    rule("cloud_token", "_v1_", START + r"do[opr]_v1_[0-9a-f]{64}" + END),
    rule("monitoring_key", "nrak- glsa_ glc_", START + r"(?:NRAK-[A-Z0-9]{20,40}|gls?[ac]_[A-Za-z0-9_=+/]{20,255})"),
    rule("atlassian_token", "atatt3", START + r"ATATT3[A-Za-z0-9_=-]{20,255}"),
    rule("bot_token", ":aa", r"(?<![\w:])\d{8,10}:AA[A-Za-z0-9_-]{32,34}(?![\w-])"),
    rule(
        "password_hash",
        "$2 $argon2",
        r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2[id]{1,2}\$[A-Za-z0-9+/=,$.]{20,255}",
    ),
    rule(
        "card",
        "",
        r"(?<![\w.\-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}|3\d{3}([ -])\d{6}\2\d{4,5})(?![\w-]|\.\d)",
        _card_number,
    ),
)

CREDENTIALS: tuple[Rule, ...] = (
    rule("bearer", "bearer", r"(?i)\bbearer[ \t:]{1,4}(?P<secret>[A-Za-z0-9._~+/=-]{8,4096})", _random),
    rule("basic", "basic", r"(?i)\bbasic[ \t]{1,4}(?P<secret>[A-Za-z0-9+/=_-]{8,1024})", _basic_credentials),
    rule("signature", "signature=", r"(?i)\b(?:x-amz-)?signature=(?P<secret>[A-Za-z0-9%+/=]{20,512})"),
    rule("signature", "sig=", r"(?i)[?&]sig=(?P<secret>[A-Za-z0-9%+/=]{20,512})"),
    rule(
        "url_credentials",
        "://",
        r"(?i)(?<![a-z0-9+.-])(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|clickhouse)"
        r"(?:\+[a-z0-9]{1,16})?://(?P<secret>[^\s/:@\"'<>\[]{0,128}:[^\s\"'<>]{1,256})@(?=[\w\[])",
    ),
    rule(
        "url_credentials",
        "://",
        r"(?i)(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://"
        r"(?P<secret>[^\s/:@\"'<>\[]{0,128}:(?!\d{1,5}(?:[/?#]|$))[^\s/\"'<>]{1,256})@(?=[\w\[])",
    ),
    rule("url_credentials", "://", r"(?i)://(?P<secret>[a-z0-9_-]{16,256})(?::x-oauth-basic)?@(?=[a-z0-9])", _random),
    rule("url_credentials", "jdbc:oracle", r"(?i)jdbc:oracle:[a-z]{2,8}:(?P<secret>[^\s/@]{1,64}/[^\s@]{1,128})@"),
    rule("user_password", "-u --user", r"(?<!\S)(?:-u|--user)[ =][\"']?(?P<secret>[^\s:\"'\[]{1,64}:[^\s\"']{2,256})"),
)

LOOSE: tuple[Rule, ...] = (
    rule("aws_secret_key", "", r"(?<![A-Za-z0-9/+_.\-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_\-])", _aws_secret_key),
    rule(
        "email",
        "@",
        r"(?<![\w.+%\-\]])(?P<secret>[\w.+%-]{1,64})@(?=(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w@]))",
        _address,
    ),
)
"""Recognised last, by their looks only: what a rule above takes has a better name there."""
