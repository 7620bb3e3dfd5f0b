"""Read-only sessions: one per account and role, their clients made once, every call guarded, paced and counted."""

import logging
import os
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import botocore
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError
from botocore.session import get_session
from botocore.utils import parse_timestamp

from aws import meter
from aws.clients import Clients
from aws.errors import CALL_ERRORS, AccountUnusable, NotAllowed, OutOfTime, unusable
from aws.limits import Limits
from aws.reads import NEVER, Read
from domain.values import Value

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel
    from botocore.session import Session as BotocoreSession

logger = logging.getLogger(__name__)

ALWAYS = frozenset({("sts", "GetCallerIdentity")})
"""Needs no permission and tells whose account we read."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
USER_AGENT = f"rca-bot/read-only Boto3/{boto3.__version__} Botocore/{botocore.__version__}"
"""As a whole: botocore's own is put together anew from thirty parts, twice for every call."""


class AccountRole(Value):
    """How to read another account: the role to assume there, and its external id if its trust policy asks for one."""

    role_arn: str
    external_id: str | None = None


class AwsConfig(Value):
    """How to reach AWS. Credentials, profiles and endpoints come from boto3's ordinary environment."""

    region: str | None = None
    accounts: dict[str, AccountRole] = {}
    connect_timeout_seconds: float = 3.0
    read_timeout_seconds: float = 10.0
    max_attempts: int = 3
    max_connections: int = 32


class ReadSession:
    """The one read-only way into AWS.

    Only the declared operations pass; everything else is refused before any network. Thread-safe.
    """

    def __init__(self, config: AwsConfig, reads: Iterable[Read], *, limits: Limits | None = None) -> None:
        self._config = config
        self._allowed = (ALWAYS | {(r.service, r.operation) for r in reads}) - NEVER
        if config.accounts:
            self._allowed |= {("sts", "AssumeRole")}
        self._limits = limits or Limits()
        self._lock = threading.RLock()
        self._asking = threading.Lock()
        self._sessions: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str, str], BaseClient] = {}
        self._home: str | None = None

    def home_account(self) -> str:
        """Return the account of our own credentials; raises AccountUnusable with what to do when they are no good."""
        with self._asking:
            if self._home is None:
                region = self.default_region()
                try:
                    self._home = self.client("", region, "sts").get_caller_identity()["Account"]  # type: ignore[attr-defined]
                except CALL_ERRORS as error:
                    raise unusable(error) or AccountUnusable(
                        f"AWS did not say who we are: {error}. Check the credentials."
                    ) from error
            return self._home

    def default_region(self) -> str:
        """Return the configured Region, or that of AWS_REGION, which boto3 does not read; AccountUnusable for none."""
        region = self._config.region or os.environ.get("AWS_REGION") or self._session("").region_name
        if not region:
            raise AccountUnusable("No AWS Region is set. Set AWS_REGION or pass --region, then run it again.")
        return region

    def reachable(self, account: str) -> bool:
        """Tell whether we can read that account: our own, or one with a role in the settings."""
        return account in {"", self.home_account()} or account in self._config.accounts

    def clients(self, account: str = "", region: str = "") -> Clients:
        """Return the clients of an account ("" is our own) and Region ("" is the default one)."""
        where = region or self.default_region()
        whose = "" if account and account not in self._config.accounts else account
        return Clients(partial(self.client, whose, where), partial(self.clients, account))

    def client(self, account: str, region: str, service: str) -> "BaseClient":
        """Return the cached client; made under a lock, because making one is not thread-safe."""
        key = (account, region, service)
        with self._lock:
            if key not in self._clients:
                client = self._session(account).client(service, region_name=region, config=self._client_config())  # type: ignore[call-overload]
                client.meta.events.register_first("before-call.*.*", partial(self._before_call, account, region))
                client.meta.events.register_first("before-send.*.*", self._before_send)
                self._clients[key] = client
            return self._clients[key]

    def _client_config(self) -> Config:
        return Config(
            retries={"mode": "standard", "total_max_attempts": self._config.max_attempts},
            connect_timeout=self._config.connect_timeout_seconds,
            read_timeout=self._config.read_timeout_seconds,
            max_pool_connections=self._config.max_connections,
            user_agent=USER_AGENT,
        )

    def _session(self, account: str) -> boto3.Session:
        with self._lock:
            if account not in self._sessions:
                try:
                    inner = get_session() if not account else self._assumed(account)
                    inner.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment)
                    self._sessions[account] = boto3.Session(botocore_session=inner)
                except BotoCoreError as error:
                    raise unusable(error) or error from error
            return self._sessions[account]

    def _assumed(self, account: str) -> "BotocoreSession":
        """Return a session whose credentials come from the account's role and renew themselves."""
        role = self._config.accounts[account]
        base = self._session("")
        extra: dict[str, Any] = {"RoleSessionName": "rca-bot"}
        if role.external_id:
            extra["ExternalId"] = role.external_id

        def guarded_client(service: str, **kwargs: Any) -> Any:
            own = {"region_name": self.default_region(), "config": self._client_config()}
            return base.client(service, **{**kwargs, **own})  # type: ignore[call-overload]

        fetcher = AssumeRoleCredentialFetcher(guarded_client, base.get_credentials(), role.role_arn, extra_args=extra)
        inner = get_session()
        inner._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")  # type: ignore[attr-defined]  # noqa: SLF001 - botocore has no public setter for refreshable credentials
        return inner

    def _before_call(self, account: str, region: str, model: "OperationModel", **_: Any) -> None:
        service, operation = model.service_model.service_name, model.name
        if (service, operation) not in self._allowed:
            raise NotAllowed(f"{service}:{operation} is not among the read-only operations that the probes declare")
        work = meter.current()
        left = float("inf") if work is None else work.remaining()
        wait = self._limits.reserve(account, region, service, operation, within=left)
        if wait is None:
            raise OutOfTime(f"no time left for {service}:{operation}")
        if wait:
            logger.debug("service=<%s>, operation=<%s>, seconds=<%.2f> | paced", service, operation, wait)
            time.sleep(wait)
        if work is not None:
            work.count()

    def _before_send(self, **_: Any) -> None:
        """Stop boto3's own retries too: they are calls like the first one."""
        work = meter.current()
        if work is not None and work.remaining() <= 0:
            raise OutOfTime("no time left for another attempt")


def moment(value: str | float) -> datetime:
    """Return an answer's timestamp in UTC; botocore's own parser asks for the local zone, for every datapoint."""
    if isinstance(value, int | float):
        return EPOCH + timedelta(seconds=value)
    return parse_timestamp(value)
