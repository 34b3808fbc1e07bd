"""Values of generated variables, found in the services' secrets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.catalogue.stack import Stack, load_stack
from pipeline.deploy.generated import GeneratedValueError, generated_values, managed
from tests.unit.configs import ROOT, example

STACK = """\
entry: page
ready: /health
services:
  page: {needs: [api]}
  api:
    needs: [database]
    environment:
      DATABASE_URL: "postgres://me:${PASSWORD}@database/me?a=$$b"
      GREETING: hello
  worker:
    needs: [database]
    environment: {QUEUE: "${PASSWORD}"}
backing:
  database: {image: "postgres:17", port: 5432, generated: [PASSWORD]}
"""
URL = "postgres://me:{}@database/me?a=$b"


def stack(text: str = STACK) -> Stack:
    return load_stack(text, ["page", "api", "worker"])


@settings(deadline=None)
@given(st.text("abcXYZ019._~-", min_size=1))
def test_what_was_put_into_the_form_comes_out_of_it(value: str) -> None:
    secrets = {"api": {"DATABASE_URL": URL.format(value)}, "worker": {"QUEUE": value}}
    assert generated_values(stack(), secrets) == {"PASSWORD": value}


@pytest.mark.parametrize(
    ("url", "queue", "said"),
    [
        (None, "s3cret", "DATABASE_URL of api is missing: expected postgres://me:"),
        ("postgres://other:s3cret@database/me", "s3cret", r"api has another form: .*\$\{PASSWORD"),
        (URL.format("s3%63ret"), "s3cret", "DATABASE_URL of api has another form"),
        (URL.format("s3cret"), "0ther", "QUEUE of worker has another PASSWORD than DATABASE_URL"),
    ],
)
def test_what_does_not_fit_is_named_and_not_shown(url: str | None, queue: str, said: str) -> None:
    secrets = {"api": {"DATABASE_URL": url} if url else {}, "worker": {"QUEUE": queue}}
    with pytest.raises(GeneratedValueError, match=said) as error:
        generated_values(stack(), secrets)
    assert "s3" not in str(error.value)
    assert "0ther" not in str(error.value)
    assert "secrets set" in str(error.value)


def test_everything_that_does_not_fit_is_named() -> None:
    with pytest.raises(GeneratedValueError, match=r"(?s)DATABASE_URL of api .*QUEUE of worker"):
        generated_values(stack(), {})


def test_a_variable_that_no_secret_has() -> None:
    lonely = stack(STACK.replace("[PASSWORD]", "[PASSWORD, ROOT_PASSWORD]"))
    secrets = {"api": {"DATABASE_URL": URL.format("a")}, "worker": {"QUEUE": "a"}}
    with pytest.raises(GeneratedValueError, match="ROOT_PASSWORD is in no service's environment"):
        generated_values(lonely, secrets)


def test_what_runs_elsewhere_needs_no_form() -> None:
    text = (ROOT / "config/stack.yml").read_text()
    names = [path.parent.name for path in ROOT.glob("services/*/service.yml")]
    configuration = example().one("staging")
    whole = managed(load_stack(text, names), configuration)
    assert set(whole.backing) == {"postgres", "redis"}
    values = dict(configuration.values)
    values["postgres"] = {
        **values["postgres"],
        "managed": type(values["postgres"]["managed"])(
            values["postgres"]["managed"].setting, False, "test"
        ),
    }
    elsewhere = managed(whole, type(configuration)("staging", configuration.sections, values))
    assert set(elsewhere.backing) == {"redis"}
    assert generated_values(elsewhere, {}) == {}
