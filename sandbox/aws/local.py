"""`LocalAws`: start it, seed it, point a process at it, see what was called."""

import asyncio
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.client import BaseClient
from botocore.config import Config

from sandbox.aws.calls import Call
from sandbox.aws.emulator import Emulator
from sandbox.aws.faults import Fault
from sandbox.aws.models import service_model
from sandbox.aws.proxy import SEEDING, Proxy
from sandbox.aws.seeds import Canned, RegionSeeds

ACCOUNT = "123456789012"
REGION = "eu-west-1"


class LocalAws:
    """A whole AWS on the loopback interface, for `with` and `async with`.

    Calls of the clients that `client` returns seed it; everybody else's are recorded and may be hit by faults.
    AWS's managed policies are there only with `managed_policies`: they make every reset a second longer.
    """

    def __init__(self, *, account: str = ACCOUNT, region: str = REGION, managed_policies: bool = False) -> None:
        self.account = account
        self.region = region
        self._emulator = Emulator(managed_policies=managed_policies)
        self._proxy = Proxy(
            account, lambda service, where, whose: self._client(service, where, whose, self._emulator.port)
        )
        self._session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="local", region_name=region)
        self._clients: dict[tuple[str, str, str, int], BaseClient] = {}

    def __enter__(self) -> Self:
        self._emulator.start()
        self._proxy.start(self._emulator.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._proxy.stop()
        self._emulator.stop()
        for client in self._clients.values():
            client.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, trace)

    @property
    def endpoint(self) -> str:
        """The URL for AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._proxy.port}"

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point a process's boto3 here, and away from a person's own settings."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str, *, region: str = "", account: str = "") -> Any:
        """Return a client for seeding: it may write, is not recorded and no fault hits it."""
        return self._client(service, region or self.region, account or self.account, self._proxy.port)

    def _client(self, service: str, region: str, account: str, port: int) -> BaseClient:
        key = (service, region, account, port)
        if key not in self._clients:
            self._clients[key] = self._session.client(  # type: ignore[call-overload]
                service,
                region_name=region,
                endpoint_url=f"http://127.0.0.1:{port}",
                aws_access_key_id=account,
                aws_secret_access_key="local",
                config=Config(user_agent_extra=SEEDING, retries={"total_max_attempts": 1}),
            )
            if port == self._emulator.port:  # the proxy tells moto whose call it is; here nobody else does
                self._clients[key].meta.events.register(
                    "before-sign.*.*", lambda request, **_: request.headers.add_header("x-moto-account-id", account)
                )
        return self._clients[key]

    def seeds(self, *, region: str = "", account: str = "") -> RegionSeeds:
        """Return what is seeded beside moto in an account and Region."""
        return self._proxy.seeds.of(account or self.account, region or self.region)

    def serve(
        self,
        service: str,
        operation: str,
        output: Mapping[str, Any],
        *,
        when: Mapping[str, Any] | None = None,
        region: str = "",
        account: str = "",
    ) -> None:
        """Answer an operation with this output instead of moto's, for calls that carry the parameters of `when`.

        Members have the API's names and Python's values (datetimes, bytes); the newest fitting answer wins.
        """
        self.seeds(region=region, account=account).canned.append(
            Canned(service, operation, when or {}, output, merged=False)
        )

    def amend(
        self,
        service: str,
        operation: str,
        members: Mapping[str, Any],
        *,
        when: Mapping[str, Any] | None = None,
        region: str = "",
        account: str = "",
    ) -> None:
        """Lay members over moto's own answer, where moto leaves out or freezes what AWS tells; JSON services only."""
        if "json" not in service_model(service).protocol:
            raise ValueError(f"{service} does not answer in JSON: serve the whole output")
        self.seeds(region=region, account=account).canned.append(
            Canned(service, operation, when or {}, members, merged=True)
        )

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call since the start or the last `forget_calls`, seeding left out."""
        return tuple(self._proxy.calls)

    def writes(self) -> tuple[Call, ...]:
        """Return the calls that may have changed something: empty proves that a run was read-only."""
        return tuple(call for call in self._proxy.calls if call.write)

    def forget_calls(self) -> None:
        """Begin to record anew."""
        self._proxy.calls.clear()

    def inject(
        self,
        service: str,
        operation: str,
        fault: Fault,
        *,
        times: int | None = None,
        when: Mapping[str, Any] | None = None,
    ) -> None:
        """Let a fault hit the next `times` calls (None: all) of an operation; `*` stands for any."""
        self._proxy.faults.inject(service, operation, fault, times=times, when=when or {})

    def clear_faults(self) -> None:
        """End all faults for the calls to come."""
        self._proxy.faults.clear()

    def reset(self) -> None:
        """Empty every account, and forget seeds, faults and calls."""
        self._emulator.reset()
        self._proxy.seeds.clear()
        self.clear_faults()
        self.forget_calls()
