"""Makes the reasoner that the settings ask for. Strands is imported here, and only when there is a model to ask."""

import importlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from domain.usage import Usage
from reasoning import models
from reasoning.budget import NOTHING, Budgets, DayLedger, InvestigationBudget, Limits
from reasoning.contract import Budget, Mode, Reasoner
from reasoning.models import ModelUnusable, Spec


class ReasoningUnusable(Exception):
    """A setting must be changed: `setting` is its name; the message is one line about it."""

    def __init__(self, setting: str, why: str) -> None:
        super().__init__(why)
        self.setting = setting


@dataclass(frozen=True)
class Wanted:
    """What the operator set: when models are asked, which, whom another one answers, and where Bedrock is."""

    mode: Mode = Mode.AUTO
    model: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None


def load_reasoner(wanted: Wanted, askers: Collection[str]) -> Reasoner | None:
    """Return what asks models; None without a model or where none may be asked. Raises ReasoningUnusable.

    `askers` are the names that an override may have.
    """
    default, chains = chains_of(wanted, askers)
    if wanted.mode is Mode.NEVER or not default:
        return None
    loaded = importlib.import_module("reasoning.strands_reasoner")
    build = partial(models.build, region=wanted.region)
    return cast("Reasoner", loaded.StrandsReasoner(default, chains, build))


def chains_of(wanted: Wanted, askers: Collection[str]) -> tuple[tuple[Spec, ...], dict[str, tuple[Spec, ...]]]:
    """Read which models to ask, by default and by who asks; raises ReasoningUnusable."""
    if not wanted.model:
        if wanted.overrides:
            raise ReasoningUnusable("RCA_MODEL", "RCA_MODELS says who is answered by another model, but there is none")
        return (), {}
    default = _checked("RCA_MODEL", wanted.model, wanted.region)
    strangers = sorted(set(wanted.overrides) - set(askers))
    if strangers:
        raise ReasoningUnusable("RCA_MODELS", f"nobody called {strangers[0]!r} asks; there are {', '.join(askers)}")
    return default, {who: _checked("RCA_MODELS", text, wanted.region) for who, text in wanted.overrides.items()}


def _checked(setting: str, text: str, region: str | None) -> tuple[Spec, ...]:
    try:
        chain = models.parse_chain(text)
        for spec in chain:
            models.check(spec, region)
    except ModelUnusable as error:
        raise ReasoningUnusable(setting, str(error)) from error
    return chain


def budgets(limits: Limits, ledger: DayLedger) -> Budgets:
    """Return what makes each investigation its budget, all of them within the day's."""

    def budget(before: Usage = NOTHING) -> Budget:
        return InvestigationBudget(limits, ledger, before=before)

    return budget
