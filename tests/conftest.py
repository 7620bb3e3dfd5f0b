"""Fixtures shared by all tests: a moto server over HTTP and the environment that points boto3 at it."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

AWS_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="session")
def _moto_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto_url(_moto_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A reset moto over HTTP; boto3's environment points at it."""
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"{_moto_url}/moto-api/reset", method="POST")).close()
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", _moto_url)
    return _moto_url
