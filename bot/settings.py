"""Everything an operator can set, from the environment. A wrong or missing value is one line that says what to set."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AnyHttpUrl, BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from aws.session import AccountRole
from bot.events.routes import Routes
from reasoning.contract import Mode

HOW: dict[str, str] = {
    "SLACK_BOT_TOKEN": "the bot token of your Slack app (xoxb-…, OAuth & Permissions)",
    "SLACK_APP_TOKEN": "the app-level token with connections:write (xapp-…, Basic Information), for Socket Mode",
    "SLACK_SIGNING_SECRET": "the signing secret of your Slack app (Basic Information), for HTTP mode",
    "SLACK_API_URL": "the address of Slack's Web API, by default https://slack.com/api/",
    "RCA_DATA_DIR": "a directory that the bot may write to, by default ~/.rca",
    "RCA_HTTP_HOST": "the address to listen on, by default 127.0.0.1",
    "RCA_HTTP_PORT": "a port number, by default 3000",
    "RCA_MODEL": "models in the order to try them, such as bedrock or bedrock:<id>,openai:<id>, or leave it unset",
    "RCA_MODELS": 'JSON of who is answered by another model, such as {"lambda": "ollama:<id>", "synthesis": "bedrock"}',
    "RCA_MODEL_REGION": "the AWS Region where Bedrock is asked, by default that of AWS_REGION",
    "RCA_REASONING": "auto (a model where the rules leave a question open), always, or never",
    "RCA_BUDGET_TOKENS": "the most tokens an investigation may use on models, by default 15000",
    "RCA_BUDGET_USD": "the most US dollars an investigation may use on models, by default 0.25",
    "RCA_DAY_TOKENS": "the most tokens all investigations of a day (UTC) may use, by default 2000000",
    "RCA_DAY_USD": "the most US dollars all investigations of a day (UTC) may use, by default 20",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "where to send OpenTelemetry spans and counters over HTTP, or leave it unset",
    "RCA_ACCOUNTS": 'JSON such as {"123456789012": {"role_arn": "arn:aws:iam::123456789012:role/rca-read"}}',
    "RCA_EVENTS_QUEUE_URL": "the URL of the SQS queue that events come from, or leave it unset",
    "RCA_ROUTES": 'JSON such as [{"service": "orders*", "channel": "C0123ABCD"}, {"channel": "C0456EFGH"}], '
    "whose last row has no conditions",
    "RCA_MAX_CONCURRENT": "how many investigations may run at once, by default 8",
    "RCA_MAX_PER_HOUR": "how many investigations may begin in an hour, by default 60",
    "RCA_ALARMS": "on or off: whether alarm posts start investigations, by default on",
    "RCA_ALARM_APPS": "ids of apps or bots whose posts count (A0123ABCD,B0456EFGH), or leave it unset for any app",
    "RCA_ALARM_CHANNELS": "ids of channels whose posts count (C0123ABCD), or leave it unset for any the bot is in",
    "RCA_GROUP_MINUTES": "for how long later alarms of a service join the first, by default 15; 0 for not at all",
    "RCA_RECHECK_HOURS": "after how long a known cause of a recurring alarm is looked for again, by default 6",
    "RCA_LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR",
    "RCA_KNOWLEDGE_BASE_ID": "the id of a Bedrock knowledge base (10 letters and digits), or leave it unset",
    "RCA_TIME_LIMIT": "the seconds an investigation may take, by default 120",
}
"""What to set, by variable: the end of every complaint."""

FOREIGN_PREFIXES: dict[str, tuple[str, ...]] = {
    "SLACK_BOT_TOKEN": ("xapp-", "xoxp-"),
    "SLACK_APP_TOKEN": ("xoxb-", "xoxp-"),
    "SLACK_SIGNING_SECRET": ("xapp-", "xoxb-", "xoxp-"),
}
"""Tokens of another kind, which are easily pasted into the wrong variable."""


class SettingsError(Exception):
    """The operator must set something else; the message is one line."""


def _ids(form: str) -> Callable[[Any], Any]:
    """Return the reader of a list of ids: commas and blanks between them, each of the form."""

    def read(value: Any) -> Any:
        ids = frozenset(re.split(r"[\s,]+", value.strip(" ,"))) if isinstance(value, str) else value
        wrong = sorted(each for each in ids if not re.fullmatch(form, each))
        if wrong:
            raise ValueError(f"“{wrong[0][:80]}” is no id")
        return ids

    return read


AppIds = Annotated[frozenset[str], NoDecode, BeforeValidator(_ids("[ABUW][A-Z0-9]{2,20}"))]
ChannelIds = Annotated[frozenset[str], NoDecode, BeforeValidator(_ids("[CG][A-Z0-9]{2,20}"))]


class Settings(BaseSettings):
    """The settings. What only `rca serve` needs is optional here: see `require_slack`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    app_token: SecretStr | None = Field(None, validation_alias="SLACK_APP_TOKEN")
    signing_secret: SecretStr | None = Field(None, validation_alias="SLACK_SIGNING_SECRET")
    api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL")
    data_dir: Path = Field(Path("~/.rca"), validation_alias="RCA_DATA_DIR")
    http_host: str = Field("127.0.0.1", validation_alias="RCA_HTTP_HOST")
    http_port: int = Field(3000, ge=0, le=65535, validation_alias="RCA_HTTP_PORT")
    model: str | None = Field(None, validation_alias="RCA_MODEL")
    models: dict[str, str] = Field({}, validation_alias="RCA_MODELS")
    region_of_models: str | None = Field(
        None, pattern="^[a-z]{2}(-[a-z]+)+-[0-9]$", validation_alias="RCA_MODEL_REGION"
    )
    reasoning: Mode = Field(Mode.AUTO, validation_alias="RCA_REASONING")
    budget_tokens: int = Field(15_000, ge=0, validation_alias="RCA_BUDGET_TOKENS")
    budget_usd: float = Field(0.25, ge=0, allow_inf_nan=False, validation_alias="RCA_BUDGET_USD")
    day_tokens: int = Field(2_000_000, ge=0, validation_alias="RCA_DAY_TOKENS")
    day_usd: float = Field(20.0, ge=0, allow_inf_nan=False, validation_alias="RCA_DAY_USD")
    accounts: dict[str, AccountRole] = Field({}, validation_alias="RCA_ACCOUNTS")
    max_concurrent: int = Field(8, ge=1, le=256, validation_alias="RCA_MAX_CONCURRENT")
    max_per_hour: int = Field(60, ge=1, le=10_000, validation_alias="RCA_MAX_PER_HOUR")
    alarms: Literal["on", "off"] = Field("on", validation_alias="RCA_ALARMS")
    alarm_apps: AppIds = Field(frozenset(), validation_alias="RCA_ALARM_APPS")
    alarm_channels: ChannelIds = Field(frozenset(), validation_alias="RCA_ALARM_CHANNELS")
    group_minutes: float = Field(15.0, ge=0, le=1440, validation_alias="RCA_GROUP_MINUTES")
    recheck_hours: float = Field(6.0, gt=0, le=720, validation_alias="RCA_RECHECK_HOURS")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", validation_alias="RCA_LOG_LEVEL")
    time_limit_seconds: float = Field(120.0, gt=0, le=900, validation_alias="RCA_TIME_LIMIT")
    knowledge_base_id: str | None = Field(None, pattern="^[0-9a-zA-Z]{10}$", validation_alias="RCA_KNOWLEDGE_BASE_ID")

    events_queue_url: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?$",
        validation_alias="RCA_EVENTS_QUEUE_URL",
    )
    routes: Routes = Field(Routes(), validation_alias="RCA_ROUTES")

    @property
    def socket_mode(self) -> bool:
        """Whether Slack is reached through a socket; otherwise it calls us over HTTP."""
        return self.app_token is not None

    @classmethod
    def load(cls, **values: Any) -> Self:
        """Read the environment, `values` winning over it; raises SettingsError with one line."""
        try:
            settings = cls(**values)
            TypeAdapter(AnyHttpUrl).validate_python(settings.api_url)
        except ValidationError as error:
            raise SettingsError(_complaint(error.errors(include_input=False)[0])) from None
        except UnreadableSetting as error:
            name = next(str(f.validation_alias) for key, f in cls.model_fields.items() if f'"{key}"' in str(error))
            raise SettingsError(f"{name} is not valid JSON. Set it to {HOW[name]}.") from None
        if settings.events_queue_url and not settings.routes.rows:
            raise SettingsError(f"RCA_ROUTES is missing: events need a channel. Set it to {HOW['RCA_ROUTES']}.")
        return settings.model_copy(update={"data_dir": settings.data_dir.expanduser()})


def _complaint(error: ErrorDetails) -> str:
    name = str(error["loc"][0]) if error["loc"] else "SLACK_API_URL"
    inside = ".".join(str(part) for part in error["loc"][1:])
    where = f"{name} ({inside})" if inside else name
    return f"{where} is wrong: {error['msg']}. Set it to {HOW.get(name, 'a valid value')}."


def require_slack(settings: Settings) -> None:
    """Check that Slack can be reached with these settings; raises SettingsError with one line."""
    given = {
        "SLACK_BOT_TOKEN": settings.bot_token,
        "SLACK_APP_TOKEN": settings.app_token,
        "SLACK_SIGNING_SECRET": settings.signing_secret,
    }
    for name, secret in given.items():
        if secret is not None and secret.get_secret_value().startswith(FOREIGN_PREFIXES[name]):
            raise SettingsError(f"{name} holds another kind of token. Set it to {HOW[name]}.")
    if settings.bot_token is None:
        raise SettingsError(f"SLACK_BOT_TOKEN is missing. Set it to {HOW['SLACK_BOT_TOKEN']}.")
    if settings.app_token is None and settings.signing_secret is None:
        raise SettingsError(
            f"SLACK_APP_TOKEN is missing. Set it to {HOW['SLACK_APP_TOKEN']}; "
            f"or set SLACK_SIGNING_SECRET to {HOW['SLACK_SIGNING_SECRET']}."
        )
