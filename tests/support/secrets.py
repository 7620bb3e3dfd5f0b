"""Planted secrets and look-alikes, generated, so that no file holds a string that a scanner would take for real."""

import base64
import random
import string
import uuid
from collections.abc import Callable, Iterator

ALNUM = string.ascii_letters + string.digits
BASE64 = ALNUM + "+/"
BASE64URL = ALNUM + "-_"
HEX = "0123456789abcdef"

Make = Callable[["Dice"], str]


class Dice(random.Random):
    """A seeded source of random text."""

    def text(self, length: int, alphabet: str = ALNUM) -> str:
        return "".join(self.choice(alphabet) for _ in range(length))

    def hex(self, length: int) -> str:
        return self.text(length, HEX)

    def uuid(self) -> str:
        return str(uuid.UUID(self.hex(32)))

    def password(self) -> str:
        return f"{self.text(5)}!{self.text(4)}9"

    def card(self) -> str:
        digits = [4, *(self.randrange(10) for _ in range(14))]
        total = sum(d if i % 2 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(digits))
        return "".join(map(str, [*digits, -total % 10]))


SHAPES: dict[str, Make] = {
    "access key id": lambda d: "AKIA" + d.text(16, string.ascii_uppercase + "234567"),
    "temporary access key id": lambda d: "ASIA" + d.text(16, string.ascii_uppercase + "234567"),
    "aws secret key": lambda d: "aB3" + d.text(37, BASE64),
    "aws session token": lambda d: "IQoJb3JpZ2luX2Vj" + d.text(300, BASE64) + "==",
    "jwt": lambda d: f"eyJ{d.text(30)}.eyJ{d.text(90)}.{d.text(43, BASE64URL)}",
    "github classic": lambda d: "ghp_" + d.text(36),
    "github fine grained": lambda d: f"github_pat_{d.text(22)}_{d.text(59)}",
    "gitlab": lambda d: "glpat-" + d.text(20),
    "slack bot": lambda d: f"xoxb-{d.text(12, string.digits)}-{d.text(12, string.digits)}-{d.text(24)}",
    "slack app": lambda d: f"xapp-1-A{d.text(10, string.ascii_uppercase)}-{d.text(13, string.digits)}-{d.hex(64)}",
    "slack webhook": lambda d: f"https://hooks.slack.com/services/T{d.text(8)}/B{d.text(8)}/{d.text(24)}",
    "stripe": lambda d: "sk_live_" + d.text(24),
    "webhook signing": lambda d: "whsec_" + d.text(32),
    "google api": lambda d: "AIza" + d.text(35),
    "google oauth": lambda d: "ya29." + d.text(60, BASE64URL),
    "openai": lambda d: "sk-proj-" + d.text(60),
    "anthropic": lambda d: f"sk-ant-api03-{d.text(93)}",
    "npm": lambda d: "npm_" + d.text(36),
    "pypi": lambda d: "pypi-" + d.text(90),
    "sendgrid": lambda d: f"SG.{d.text(22)}.{d.text(43)}",
    "hugging face": lambda d: "hf_" + d.text(34),
    "vault": lambda d: "hvs." + d.text(90),
    "card": lambda d: d.card(),
    "bcrypt": lambda d: "$2b$12$" + d.text(53, ALNUM + "./"),
}
"""Secrets known by their shape."""

AROUND = (
    "{}",
    "found {} in the event",
    '{{"a": "{}"}}',
    "k={}",
    "x: {}, y: 1",
    "({})",
    "[{}]",
    "https://h.example/p?x={}&b=1",
    "ends here: {}.",
    'export V="{}"',
    '{{\\"inner\\": \\"{}\\"}}',
    "one line\n{}\nanother",
    "2026-11-20T09:53:01Z\tERROR\t{}",
)
"""Where they turn up."""

NAMES = (
    "password",
    "DB_PASSWORD",
    "dbPassword",
    "passwd",
    "SMTP_PASS",
    "passphrase",
    "client_secret",
    "secretKey",
    "SecretAccessKey",
    "aws_secret_access_key",
    "private_key",
    "api_key",
    "x-api-key",
    "access_token",
    "refreshToken",
    "session_token",
    "AccountKey",
    "SIGNING_KEY",
    "token",
)
"""Names that say what they hold."""

GIVEN = (
    "{k}={v}",
    "{k}='{v}'",
    '{k} = "{v}"',
    "{k}: {v}",
    '"{k}":"{v}"',
    "'{k}': '{v}',",
    '{{\\"{k}\\": \\"{v}\\"}}',
    "GET /login?user=a&{k}={v}&b=2",
    "Server=db;{k}={v};Encrypt=true",
    "export {k}={v}",
    '{k} => "{v}"',
    '{{"name": "{k}", "value": "{v}"}}',
    "<{k}>{v}</{k}>",
    "run --{k} {v} --fast",
    "%22{k}%22%3A%22{v}%22",
    "WARN refused {k}={v}, user=bob",
)
"""Ways to give a value under a name; k is the name, v the value."""

PHRASES: dict[str, Make] = {
    "Authorization: Bearer {}": lambda d: d.text(24) + "7",
    'curl -H "Authorization: Basic {}"': lambda d: base64.b64encode(f"bob:{d.password()}".encode()).decode(),
    "connect to postgres://app:{}@db.internal:5432/orders": lambda d: d.password(),
    "mongodb+srv://app:{}@cluster.example.net/db": lambda d: "p@s/" + d.text(8),
    "redis://:{}@cache:6379/0": lambda d: d.password(),
    "git clone https://bob:{}@git.example/repo": lambda d: d.password(),
    "curl -u bob:{} https://api.example": lambda d: d.password(),
    "Set-Cookie: {}; Path=/": lambda d: "sid=" + d.text(24),
    "https://b.s3.amazonaws.com/k?X-Amz-Signature={}": lambda d: d.hex(64),
    "https://a.blob.core.windows.net/c?sv=1&sig={}": lambda d: d.text(43) + "%3D",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----": lambda d: d.text(64, BASE64),
    "-----BEGIN EC PRIVATE KEY-----\\n{}": lambda d: d.text(64, BASE64),
    "the password is {}": lambda d: d.password(),
    "jdbc:oracle:thin:scott/{}@host:1521": lambda d: d.password(),
    "WEBHOOK_SALT={}": lambda d: "aB3" + d.text(40),
}
"""Secrets known by the phrase around them."""


BENIGN: tuple[Make, ...] = (
    lambda d: f"trace 1-{d.hex(8)}-{d.hex(24)}",
    lambda d: f"Root=1-{d.hex(8)}-{d.hex(24)};Parent={d.hex(16)};Sampled=1",
    lambda d: f"traceparent: 00-{d.hex(32)}-{d.hex(16)}-01",
    lambda d: f"START RequestId: {d.uuid()} Version: $LATEST",
    lambda d: f"REPORT RequestId: {d.uuid()}\tDuration: 3000.00 ms\tMax Memory Used: {d.randrange(60, 128)} MB",
    lambda d: f"commit {d.hex(40)} of main",
    lambda d: f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:{d.hex(64)}",
    lambda d: f"CodeSha256={base64.b64encode(d.randbytes(32)).decode()}",
    lambda d: f"arn:aws:lambda:eu-west-1:{d.text(12, '123456789')}:function:create-order:{d.randrange(99)}",
    lambda d: f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-password-{d.text(6)}",
    lambda d: f"arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_{d.hex(16)}/mia@example.com",
    lambda d: f"arn:aws:states:eu-west-1:123456789012:execution:Orders:{d.uuid()}",
    lambda d: f"account {d.text(12, '123456789')} in eu-west-1",
    lambda d: f"2026-11-20T09:53:{d.randrange(10, 60)}.{d.randrange(100, 999)}Z ERROR create-order failed",
    lambda d: f"epoch {d.randrange(17 * 10**11, 18 * 10**11)} {d.randrange(17 * 10**17, 18 * 10**17)}",
    lambda d: f"x-amz-apigw-id: {d.text(15)}=",
    lambda d: f"x-amz-id-2: {d.text(75, BASE64)}=",
    lambda d: f"2026/11/20/[$LATEST]{d.hex(32)}",
    lambda d: f"OrdersStack-CreateOrderFunction{d.hex(8).upper()}-{d.text(12)}",
    lambda d: f'"NextToken": "{d.text(d.choice((40, 60)))}"',
    lambda d: f"VersionId={d.text(32)} etag {d.hex(32)}",
    lambda d: f"vpc-{d.hex(17)} subnet-{d.hex(17)} 10.0.{d.randrange(255)}.{d.randrange(255)}:5432",
    lambda d: f"AROA{d.text(17, string.ascii_uppercase)}:create-order",
    lambda d: f"max_tokens={d.randrange(9999)} input_tokens={d.randrange(9999)}",
    lambda d: f"ratio {d.random()}",
    lambda d: f"ClientToken: {d.uuid()}",
    lambda d: f"Key: orders/2026/11/20/Report_{d.randrange(10)}T0956Z.json",
)
"""Ids, digests, addresses and times that must survive."""

PLAIN = (
    "SyntaxError: Unexpected token < in JSON at position 0",
    "SyntaxError: Unexpected token: 'export'",
    "ExpiredTokenException: The security token included in the request is expired",
    'password authentication failed for user "orders"',
    "Password: incorrect",
    "secret: not found",
    "token: expired",
    "password=${DB_PASSWORD}",
    "password: ****",
    "    password = os.environ['DB_PASSWORD']",
    "token=self.token",
    "DB_PASSWORD=<hidden>",
    "User: arn:aws:sts::123456789012:assumed-role/orders/create-order is not authorized to perform: sqs:SendMessage",
    "secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db",
    "partition key customerId#12345 sort key ORDER#2026-11-20",
    "KeyConditionExpression: pk = :pk",
    "lodash@4.17.21 express@5.0.0",
    '  File "/var/task/app.py", line 43, in handler',
    "    at Runtime.handler (/var/task/index.js:12:9)",
    "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
    "GET https://api.stripe.com:443/v1/charges?expand=a@b 503",
    "PWD=/var/task LAMBDA_TASK_ROOT=/var/task",
    "Basic authentication is required",
    "Bearer authentication failed",
    "ProvisionedThroughputExceededException: The level of configured provisioned throughput was exceeded.",
    "tokenizer loaded, token_count=12, TokenType=Bearer",
    "credentials provider chain: env, profile, imds",
    "PASS: 12, FAIL: 3",
    '"authorizationType": "AWS_IAM"',
    "idempotency_key=Order1234567890ABCDabcd",
    "sk-learn-model-training-pipeline-xgb",
    "git@github.com:org/repo.git",
    "AWS4-HMAC-SHA256 signature mismatch",
    "UpdateTable WriteCapacityUnits 500 -> 5 by deploy-bot",
)
"""Lines of logs and traces that talk about secrets and hold none."""


def planted(seed: int = 1, each: int = 3) -> Iterator[tuple[str, str, str]]:
    """Yield the kind, the secret and a text that shows it."""
    dice = Dice(seed)
    for kind, make in SHAPES.items():
        for around in AROUND:
            for secret in (make(dice) for _ in range(each)):
                yield kind, secret, around.format(secret)
    for name in NAMES:
        for given in GIVEN:
            for value in (dice.password() for _ in range(each)):
                yield name, value, given.format(k=name, v=value)
    for phrase, make in PHRASES.items():
        for secret in (make(dice) for _ in range(each)):
            yield phrase, secret, phrase.format(secret)


def benign(seed: int = 2, each: int = 20) -> Iterator[str]:
    """Yield lines without a secret."""
    dice = Dice(seed)
    yield from PLAIN
    for make in BENIGN:
        yield from (make(dice) for _ in range(each))
