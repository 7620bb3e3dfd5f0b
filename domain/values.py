"""The base of every value: frozen, closed, comparable."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value; unknown fields are an error, so that a typo cannot pass as data."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def utc(moment: datetime) -> datetime:
    """Return the moment in UTC; a naive one is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def from_epoch(seconds: float) -> datetime:
    """Return the UTC moment of an epoch given in seconds, rounded to milliseconds (X-Ray's precision)."""
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)


JsonObject = Mapping[str, Any]

__all__ = ["AwareDatetime", "JsonObject", "Value", "from_epoch", "utc"]
