"""Layers: how they merge, where values come from, and what is laid over files."""

from functools import reduce
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.resolve import Overlays
from pipeline.config.summary import explanation, summarised
from pipeline.config.tree import EMPTY, Branch, Leaf, Node, leaves, merged
from pipeline.report.config import explained, render_config
from pipeline.report.html import config_page
from tests.unit.configs import SECRETS, example, loaded

# Of each of hypothesis's hundred examples: 10,000 in all.
CASES = 100
CHANCE = 0.6


def tree(data: object, origin: str) -> Node:
    """Make a layer of data that has one origin."""
    if isinstance(data, dict):
        return Branch({str(key): tree(value, origin) for key, value in data.items()})
    return Leaf(data, origin)


def plain(node: Node) -> Any:
    """Give the data of a merged layer."""
    if isinstance(node, Leaf):
        return node.value
    found = {name: plain(child) for name, child in node.children.items()}
    return {name: value for name, value in found.items() if value is not None}


def random_data(random: Random, depth: int = 3) -> dict[str, Any]:
    """A small mapping of few names, so that layers meet."""
    return {name: _random_value(random, depth) for name in "abc" if random.random() < CHANCE}


def _random_value(random: Random, depth: int) -> object:
    if depth and random.random() < CHANCE:
        return random_data(random, depth - 1)
    return random.choice([None, 0, 1, "x", [], [1, 2]])


def layer(random: Random) -> Node:
    return tree(random_data(random), "here")


@settings(deadline=None)
@given(st.randoms(use_true_random=True))
def test_layers_can_be_put_together_in_any_grouping(random: Random) -> None:
    for _ in range(CASES):
        low, middle, high = layer(random), layer(random), layer(random)
        assert merged(merged(low, middle), high) == merged(low, merged(middle, high))


@settings(deadline=None)
@given(st.randoms(use_true_random=True))
def test_an_empty_layer_changes_nothing(random: Random) -> None:
    for _ in range(CASES):
        some = layer(random)
        assert merged(EMPTY, some) == some == merged(some, EMPTY)


def expected(low: object, high: object) -> object:
    """The rule in other words, on data in place of layers."""
    if not isinstance(high, dict):
        return high
    below = low if isinstance(low, dict) else {}
    found = {
        name: expected(below.get(name), high[name]) if name in high else below[name]
        for name in [*below, *(name for name in high if name not in below)]
    }
    return {name: value for name, value in found.items() if value is not None}


@settings(deadline=None)
@given(st.randoms(use_true_random=True))
def test_mappings_merge_all_else_replaces_and_null_removes(random: Random) -> None:
    for _ in range(CASES):
        datas = [random_data(random) for _ in range(random.randint(0, 4))]
        layers = [tree(data, "here") for data in datas]
        assert plain(reduce(merged, layers, EMPTY)) == reduce(expected, datas, {})


@settings(deadline=None)
@given(st.randoms(use_true_random=True))
def test_no_value_is_lost_and_each_knows_its_layer(random: Random) -> None:
    for _ in range(CASES):
        datas = [random_data(random) for _ in range(random.randint(1, 4))]
        layers = [tree(data, str(index)) for index, data in enumerate(datas)]
        found = dict(leaves(reduce(merged, layers)))
        for index, some in enumerate(layers):
            for path, leaf in leaves(some):
                # Unless an upper layer says something of the path, or of what is around it.
                said = any(_speaks(upper, path) for upper in datas[index + 1 :])
                assert said or found[path] == leaf


def _speaks(data: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(data, dict):
            return True
        if name not in data:
            return False
        data = data[name]
    return True


def test_null_removes_what_files_before_say() -> None:
    low = tree({"a": {"x": 1, "y": 2}, "b": [1, 2]}, "low")
    high = tree({"a": {"x": None, "z": 3}, "b": [3]}, "high")
    assert plain(merged(low, high)) == {"a": {"y": 2, "z": 3}, "b": [3]}
    assert merged(Leaf(1, "low"), Branch({})) == Branch({}, fresh=True)


FILES = {
    "eu": "partial: true\nextends: base\nshop: {greeting: hello, timeout_ms: 200}\n",
    "one": "extends: [base, eu]\nshop:\n  timeout_ms: 300\n  greeting: null\n  mode: fast\n",
}
OVERLAYS = Overlays(
    "SHOP_MODE=safe\nSHOP_ORIGINS=https://a,https://b\nHOME=/root\n",
    ["shop.verbose=true", "shop.threshold=1", "performance.cpu_limit=2.0"],
)


def test_each_value_says_where_it_is_from() -> None:
    found = loaded(FILES, name="one", overlays=OVERLAYS, secrets={"one": SECRETS})
    text = explained(explanation(found.one("one"), found.secrets["one"]))
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in text.splitlines()}
    assert rows["shop.timeout_ms"] == ["300", "config/environments/one.yml:3"]
    assert "shop.greeting" not in rows
    assert rows["shop.mode"] == ["safe", "--variables:1"]
    assert rows["shop.origins"] == ["https://a,https://b", "--variables:2"]
    assert rows["shop.verbose"] == ["true", "--set"]
    assert rows["shop.threshold"] == ["1", "--set"]
    assert rows["performance.cpu_limit"] == ["2.0", "--set"]
    assert rows["performance.memory_limit"] == ["512Mi", "config/environments/base.yml:4"]
    assert rows["monitoring.enabled"] == ["true", "default of every deployment"]
    assert rows["shop.token"] == ["(encrypted)", "config/secrets/one.yml"]


def test_environments_side_by_side_and_what_differs() -> None:
    found = loaded({"one": "extends: base", "two": "extends: base\nshop: {greeting: <b>}\n"})
    both = list(found.configurations.values())
    assert render_config(summarised(both, found.secrets, differences_only=True), "table") == (
        "SETTING        ONE  TWO\nshop.greeting  -    <b>\n"
    )
    everything = summarised(both, found.secrets)
    markdown = render_config(everything, "markdown")
    assert "| `shop.timeout_ms` | `1000` | `1000` |" in markdown
    assert "| `shop.token` | me | changed 2026-11-24 | changed 2026-11-24 |" in markdown
    assert "- one can be read by age1me" in markdown
    page = config_page(everything, "Configuration")
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "ENC[" not in page + markdown + render_config(everything, "json")


def test_the_worked_examples_environments_differ_where_the_mission_says() -> None:
    found = example()
    both = [found.one("staging"), found.one("production")]
    summary = summarised(both, found.secrets, differences_only=True)
    assert {"performance.max_replicas", "consciousness_engine.quality_threshold"} <= {
        row.setting for row in summary.settings
    }
