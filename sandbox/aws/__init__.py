"""A local AWS: moto behind a proxy that adds what moto lacks, records every call and injects faults."""

from sandbox.aws.local import LocalAws

__all__ = ["LocalAws"]
