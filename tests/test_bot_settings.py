"""Settings: what is wrong or missing is one line that says what to set, and secrets stay secret."""

import pytest

from bot.settings import Settings, SettingsError, require_slack

SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}

WRONG = (
    ({"RCA_HTTP_PORT": "abc"}, "RCA_HTTP_PORT"),
    ({"RCA_HTTP_PORT": "70000"}, "RCA_HTTP_PORT"),
    ({"RCA_MAX_CONCURRENT": "0"}, "RCA_MAX_CONCURRENT"),
    ({"RCA_MAX_PER_HOUR": "0"}, "RCA_MAX_PER_HOUR"),
    ({"RCA_ALARMS": "maybe"}, "RCA_ALARMS"),
    ({"RCA_ALARM_APPS": "Amazon Q"}, "RCA_ALARM_APPS"),
    ({"RCA_ALARM_CHANNELS": "C0123ABCD,#alerts"}, "RCA_ALARM_CHANNELS"),
    ({"RCA_GROUP_MINUTES": "-1"}, "RCA_GROUP_MINUTES"),
    ({"RCA_RECHECK_HOURS": "soon"}, "RCA_RECHECK_HOURS"),
    ({"RCA_TIME_LIMIT": "-1"}, "RCA_TIME_LIMIT"),
    ({"RCA_LOG_LEVEL": "LOUD"}, "RCA_LOG_LEVEL"),
    ({"RCA_KNOWLEDGE_BASE_ID": "wiki"}, "RCA_KNOWLEDGE_BASE_ID"),
    ({"RCA_ACCOUNTS": "{"}, "RCA_ACCOUNTS"),
    ({"RCA_ACCOUNTS": '{"1": {"role": "x"}}'}, "RCA_ACCOUNTS"),
    ({"SLACK_API_URL": "slack"}, "SLACK_API_URL"),
    ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN"),
    ({"SLACK_APP_TOKEN": ""}, "SLACK_APP_TOKEN"),
    ({"SLACK_BOT_TOKEN": "xapp-secret"}, "SLACK_BOT_TOKEN"),
    ({"SLACK_APP_TOKEN": "xoxb-secret"}, "SLACK_APP_TOKEN"),
    ({"SLACK_SIGNING_SECRET": "xoxb-secret"}, "SLACK_SIGNING_SECRET"),
)


@pytest.mark.parametrize(("changes", "named"), WRONG, ids=str)
def test_what_is_wrong_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], named: str
) -> None:
    for name, value in (SLACK | changes).items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        require_slack(Settings.load())

    assert str(refused.value).startswith(named)
    assert "Set it to" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value).replace("signing secret", "")


def test_the_defaults_are_safe() -> None:
    settings = Settings.load()

    assert (settings.http_host, settings.http_port, settings.model) == ("127.0.0.1", 3000, None)
    assert "~" not in str(settings.data_dir)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (SLACK | {"SLACK_SIGNING_SECRET": "s3cr3t"}).items():
        monkeypatch.setenv(name, value)

    shown = repr(Settings.load())

    assert "xoxb-1" not in shown
    assert "xapp-1" not in shown
    assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("given", "socket"), [({"SLACK_APP_TOKEN": "xapp-1"}, True), ({"SLACK_SIGNING_SECRET": "s"}, False)]
)
def test_an_app_token_means_socket_mode(given: dict[str, str], socket: bool) -> None:
    settings = Settings.load(SLACK_BOT_TOKEN="xoxb-1", **given)

    require_slack(settings)
    assert settings.socket_mode is socket
