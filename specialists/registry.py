"""Finds the specialists: every folder here whose package has a SPECIALIST."""

import importlib
import pkgutil
from functools import cache

import specialists
from aws.reads import Read
from specialists.contract import Specialist


@cache
def all_specialists() -> tuple[Specialist, ...]:
    """Return every specialist, by name."""
    packages = (name for _, name, is_package in pkgutil.iter_modules(specialists.__path__) if is_package)
    modules = (importlib.import_module(f"{specialists.__name__}.{name}") for name in packages)
    found = [module.SPECIALIST for module in modules if hasattr(module, "SPECIALIST")]
    return tuple(sorted(found, key=lambda specialist: specialist.name))


def declared_reads() -> frozenset[Read]:
    """Return every read that any probe declares: what the guard lets through."""
    return frozenset(read for specialist in all_specialists() for probe in specialist.probes for read in probe.reads)
