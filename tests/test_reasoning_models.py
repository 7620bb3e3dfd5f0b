"""Naming models, what they cost, and what is said when one cannot be asked."""

import sys
from pathlib import Path

import pytest
from strands.models import BedrockModel

from reasoning import models
from reasoning.contract import Mode
from reasoning.load import ReasoningUnusable, Wanted, chains_of, load_reasoner
from reasoning.models import DEFAULT_BEDROCK, PROVIDERS, ModelUnusable, Spec, build, parse_chain, parse_spec
from reasoning.prices import dollars, price_of

ASKERS = ("lambda", "synthesis")
PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("bedrock", Spec("bedrock", DEFAULT_BEDROCK)),
        ("bedrock:", Spec("bedrock", DEFAULT_BEDROCK)),
        ("bedrock:global.anthropic.claude-sonnet-4-6", Spec("bedrock", "global.anthropic.claude-sonnet-4-6")),
        ("eu.anthropic.claude-haiku-4-5", Spec("bedrock", "eu.anthropic.claude-haiku-4-5")),
        ("anthropic.claude-3-haiku-20240307-v1:0", Spec("bedrock", "anthropic.claude-3-haiku-20240307-v1:0")),
        (PROFILE, Spec("bedrock", PROFILE)),
        (f"bedrock:{PROFILE}", Spec("bedrock", PROFILE)),
        ("anthropic:claude-haiku-4-5", Spec("anthropic", "claude-haiku-4-5")),
        ("ollama:llama3:8b", Spec("ollama", "llama3:8b")),
        (" openai:gpt-5 ", Spec("openai", "gpt-5")),
    ],
)
def test_a_model_is_named_by_provider_and_id_or_by_a_bedrock_id_alone(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec


def test_a_chain_keeps_its_order_and_names_nothing_twice() -> None:
    chain = parse_chain("bedrock, anthropic:claude-haiku-4-5,bedrock,")

    assert [spec.provider for spec in chain] == ["bedrock", "anthropic"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("opnai:gpt-5", "'opnai' is not a provider; there are anthropic, bedrock"),
        ("openai:", "does not name a model"),
        ("bedrock:claude sonnet", "does not name a model"),
        (",", "names no model"),
    ],
)
def test_a_wrong_name_is_one_line(text: str, words: str) -> None:
    with pytest.raises(ModelUnusable, match=words) as refused:
        parse_chain(text)

    assert "\n" not in str(refused.value)


def test_a_provider_that_is_not_installed_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)

    with pytest.raises(ReasoningUnusable, match=r"pip install 'strands-agents\[openai\]'") as refused:
        load_reasoner(Wanted(model="bedrock,openai:gpt-5"), ASKERS)

    assert refused.value.setting == "RCA_MODEL"


def test_bedrock_without_a_region_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    models._session.cache_clear()

    with pytest.raises(ReasoningUnusable, match="RCA_MODEL_REGION"):
        load_reasoner(Wanted(model="bedrock"), ASKERS)
    chains_of(Wanted(model="bedrock", region="eu-west-1"), ASKERS)
    models._session.cache_clear()


@pytest.mark.parametrize(
    ("wanted", "setting"),
    [
        (Wanted(model="bedrock", overrides={"lamda": "bedrock"}), "RCA_MODELS"),
        (Wanted(model="bedrock", overrides={"lambda": "nobody:x"}), "RCA_MODELS"),
        (Wanted(overrides={"lambda": "bedrock"}), "RCA_MODEL"),
        (Wanted(mode=Mode.NEVER, model="nobody:x"), "RCA_MODEL"),
    ],
)
def test_a_wrong_setting_is_named(wanted: Wanted, setting: str) -> None:
    with pytest.raises(ReasoningUnusable) as refused:
        load_reasoner(wanted, ASKERS)

    assert refused.value.setting == setting


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(mode=Mode.NEVER, model="bedrock"), Wanted(mode=Mode.ALWAYS)])
def test_without_a_model_or_in_never_there_is_no_reasoner(wanted: Wanted) -> None:
    assert load_reasoner(wanted, ASKERS) is None


def test_an_asker_may_have_a_model_of_its_own() -> None:
    default, chains = chains_of(Wanted(model="bedrock", overrides={"lambda": "ollama.x,bedrock"}), ASKERS)

    assert default == (Spec("bedrock", DEFAULT_BEDROCK),)
    assert chains == {"lambda": (Spec("bedrock", "ollama.x"), Spec("bedrock", DEFAULT_BEDROCK))}


def test_bedrock_is_made_with_short_time_outs_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")

    model = build(Spec("bedrock", DEFAULT_BEDROCK), 300, "eu-central-1")

    assert isinstance(model, BedrockModel)
    assert model.get_config()["max_tokens"] == 300
    client = model.client.meta
    assert (client.region_name, client.endpoint_url) == ("eu-central-1", "http://127.0.0.1:9")
    assert (client.config.connect_timeout, client.config.read_timeout) == (2.0, 10.0)
    assert client.config.retries["total_max_attempts"] == 2
    assert client.config.max_pool_connections == 32


@pytest.mark.parametrize("name", sorted(set(PROVIDERS) - {"bedrock", "llamacpp"}))
def test_every_provider_that_needs_a_library_names_the_extra_that_strands_has_for_it(name: str) -> None:
    from importlib.metadata import metadata

    extras = metadata("strands-agents").get_all("Provides-Extra") or []

    assert PROVIDERS[name].extra in extras
    assert PROVIDERS[name].imports


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_provider_is_where_strands_keeps_it(name: str) -> None:
    import strands.models

    provider = PROVIDERS[name]
    source = (Path(strands.models.__file__).parent / f"{provider.module}.py").read_text()

    assert f"class {provider.kind}(" in source


@pytest.mark.parametrize(
    ("spec", "price"),
    [
        (Spec("bedrock", "global.anthropic.claude-sonnet-4-6"), (3.0, 15.0)),
        (Spec("bedrock", "eu.anthropic.claude-sonnet-4-6"), (3.3, 16.5)),
        (Spec("bedrock", "us-gov.anthropic.claude-haiku-4-5-20251001-v1:0"), (1.1, 5.5)),
        (Spec("bedrock", "anthropic.claude-haiku-4-5-20251001-v1:0"), (1.1, 5.5)),
        (
            Spec(
                "bedrock",
                "arn:aws:bedrock:eu-west-1:1:inference-profile/global.anthropic.claude-haiku-4-5-20251001-v1:0",
            ),
            (1.0, 5.0),
        ),
        (Spec("anthropic", "claude-sonnet-4-6"), (3.0, 15.0)),
        (Spec("anthropic", "claude-opus-5"), (5.0, 25.0)),
        (Spec("anthropic", "claude-opus-5-5"), (4.0, 20.0)),
        (Spec("ollama", "llama3:8b"), (0.0, 0.0)),
        (Spec("ollama", "gpt-oss:120b-cloud"), None),
        (Spec("bedrock", "global.anthropic.claude-sonnet-5-5"), None),
        (Spec("bedrock", "claude-sonnet-4-6x"), None),
        (Spec("bedrock", PROFILE), None),
        (Spec("openai", "gpt-5"), None),
    ],
    ids=str,
)
def test_a_price_is_that_of_the_family_and_place_or_unknown(spec: Spec, price: tuple[float, float] | None) -> None:
    assert price_of(*spec) == (None if price is None else pytest.approx(price))


def test_dollars_are_tokens_by_price() -> None:
    assert dollars("anthropic", "claude-haiku-4-5", 1_000_000, 200_000) == pytest.approx(2.0)
    assert dollars("openai", "gpt-5", 1, 1) is None


def test_naming_models_imports_no_library() -> None:
    import subprocess

    code = (
        "import sys, reasoning.models, reasoning.load, reasoning.budget, reasoning.prompt, reasoning.prices\n"
        "reasoning.models.parse_chain('bedrock,openai:x')\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in {'strands', 'openai', 'anthropic'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"
