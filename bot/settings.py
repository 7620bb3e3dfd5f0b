"""Everything an operator can set, from the environment. A wrong or missing value is one line that says what to set."""

from pathlib import Path
from typing import Any, Self

from pydantic import AnyHttpUrl, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from aws.session import AccountRole

HOW: dict[str, str] = {
    "SLACK_BOT_TOKEN": "the bot token of your Slack app (xoxb-…, OAuth & Permissions)",
    "SLACK_APP_TOKEN": "the app-level token with connections:write (xapp-…, Basic Information), for Socket Mode",
    "SLACK_SIGNING_SECRET": "the signing secret of your Slack app (Basic Information), for HTTP mode",
    "SLACK_API_URL": "the address of Slack's Web API, by default https://slack.com/api/",
    "RCA_DATA_DIR": "a directory that the bot may write to, by default ~/.rca",
    "RCA_HTTP_HOST": "the address to listen on, by default 127.0.0.1",
    "RCA_HTTP_PORT": "a port number, by default 3000",
    "RCA_MODEL": "the model to reason with, or leave it unset to use rules only",
    "RCA_ACCOUNTS": 'JSON such as {"123456789012": {"role_arn": "arn:aws:iam::123456789012:role/rca-read"}}',
    "RCA_MAX_CONCURRENT": "how many investigations may run at once, by default 8",
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
    accounts: dict[str, AccountRole] = Field({}, validation_alias="RCA_ACCOUNTS")
    max_concurrent: int = Field(8, ge=1, le=256, validation_alias="RCA_MAX_CONCURRENT")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", validation_alias="RCA_LOG_LEVEL")
    time_limit_seconds: float = Field(120.0, gt=0, le=900, validation_alias="RCA_TIME_LIMIT")
    knowledge_base_id: str | None = Field(None, pattern="^[0-9a-zA-Z]{10}$", validation_alias="RCA_KNOWLEDGE_BASE_ID")

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
            name = next((name for name in HOW if f'"{name}"' in str(error)), "RCA_ACCOUNTS")
            raise SettingsError(f"{name} is not valid JSON. Set it to {HOW[name]}.") from None
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
