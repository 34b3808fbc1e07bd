"""What an environment gives to the services of a stack."""

import pytest

from pipeline.catalogue.stack import load_stack
from pipeline.config.variables import (
    UnknownSecretsError,
    Variables,
    check_secrets,
    variables_of_services,
)
from pipeline.errors import InvalidFilesError
from tests.unit.configs import loaded

ONE = loaded({"one": "extends: base\nshop: {greeting: hello}\n"}).one("one")
STACK = """\
entry: shop
ready: /
services:
  shop: {}
  till: {}
"""


def test_secrets_are_given_apart_and_not_shown() -> None:
    [(name, given)] = variables_of_services(ONE, {"shop": {"token": "hunter2"}}).items()
    assert name == "shop"
    assert given.plain["SHOP_GREETING"] == "hello"
    assert "TOKEN" not in given.plain
    assert given.secret == {"TOKEN": "hunter2"}
    assert not given.missing
    assert "hunter2" not in repr(given)


def test_what_is_wrong_in_secrets_is_told_without_values() -> None:
    with pytest.raises(InvalidFilesError, match=r"shop\.token: expected text") as caught:
        variables_of_services(ONE, {"shop": {"token": 4711}})
    assert "4711" not in str(caught.value)


def test_a_secret_is_missed_that_neither_the_stack_nor_a_key_gives() -> None:
    settings = variables_of_services(ONE, {})
    stack = load_stack(STACK, ["shop", "till"])
    with pytest.raises(UnknownSecretsError, match="TOKEN of shop"):
        check_secrets(stack, settings)
    told = STACK.replace("shop: {}", "shop: {environment: {TOKEN: x}}")
    check_secrets(load_stack(told, ["shop", "till"]), settings)
    check_secrets(stack, {"shop": Variables({}, {"TOKEN": "x"}, frozenset())})
