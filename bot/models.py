"""What asks models, as the settings want it: loaded once, before the first investigation."""

import logging
from dataclasses import dataclass

from bot.settings import HOW, Settings, SettingsError
from orchestrator.sqlite_spending import SqliteLedger
from reasoning.budget import Budgets, Limits
from reasoning.contract import Mode, Reasoner
from reasoning.exporting import ExporterMissing, export
from reasoning.load import ReasoningUnusable, Wanted, budgets, load_reasoner
from specialists.registry import all_specialists

logger = logging.getLogger(__name__)

OTHERS = ("synthesis", "ask")
"""Who asks models beside the specialists."""


@dataclass(frozen=True)
class Models:
    """What an Investigator asks models with; without a reasoner it goes by rules alone."""

    reasoner: Reasoner | None
    mode: Mode
    budget: Budgets
    ledger: SqliteLedger

    def close(self) -> None:
        """Let go of the ledger's file."""
        self.ledger.close()


def open_models(settings: Settings) -> Models:
    """Load what the settings want, and send telemetry where they say; raises SettingsError with one line."""
    try:
        export()
        reasoner = load_reasoner(wanted(settings), askers())
    except ReasoningUnusable as error:
        raise SettingsError(f"{error.setting} is wrong: {error}. Set it to {HOW[error.setting]}.") from error
    except ExporterMissing as error:
        raise SettingsError(f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {error}; or set it to nothing.") from error
    limits = Limits(settings.budget_tokens, settings.budget_usd, settings.day_tokens, settings.day_usd)
    ledger = SqliteLedger.open(settings.data_dir)
    logger.info(
        "model=<%s>, mode=<%s> | %s", settings.model, settings.reasoning, "rules first" if reasoner else "rules"
    )
    return Models(reasoner, settings.reasoning, budgets(limits, ledger), ledger)


def wanted(settings: Settings) -> Wanted:
    """Return what the settings say about models."""
    return Wanted(settings.reasoning, settings.model, settings.models, settings.region_of_models)


def askers() -> tuple[str, ...]:
    """Return who may have a model of its own."""
    return (*(specialist.name for specialist in all_specialists()), *OTHERS)
