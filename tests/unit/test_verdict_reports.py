"""Reports of a verdict: table, Markdown, JSON, one HTML page."""

from pipeline.report.html import verdict_page
from pipeline.report.verdict import Outcome, RuleSummary, VerdictSummary, render_verdict
from tests.unit.page import Page


def rule(name: str, outcome: Outcome = "pass", *why: str, title: str = "As it is") -> RuleSummary:
    return RuleSummary(rule=name, title=title, outcome=outcome, why=list(why))


def summary(*rules: RuleSummary, passed: bool = False) -> VerdictSummary:
    return VerdictSummary(passed=passed, images=["shop linux/amd64"], rules=list(rules))


BAD = summary(
    rule("size", "fail", "shop is too large"), rule("user"), rule("labels", "skipped", "unknown")
)


def test_table() -> None:
    assert render_verdict(BAD, "table") == (
        "RESULT   RULE    WHAT IT ASKS FOR\n"
        "fail     size    As it is\n"
        "pass     user    As it is\n"
        "skipped  labels  As it is\n"
        "\n"
        "size: fail\n"
        "  shop is too large\n"
        "\n"
        "labels: skipped\n"
        "  unknown\n"
        "\n"
        "Judged 1 image by 3 rules: 1 fail, 1 skipped, 1 pass.\n"
        "Failed.\n"
    )
    assert render_verdict(summary(rule("user"), passed=True), "table").endswith("Passed.\n")


def test_a_rule_with_much_to_say_says_how_much_more() -> None:
    text = render_verdict(summary(rule("sbom", "fail", *"abcdefg")), "table")
    assert "  e\n  and 2 more\n" in text
    assert "more" not in render_verdict(summary(rule("sbom", "fail", *"abcde")), "table")
    page = verdict_page(summary(rule("sbom", "fail", *"abcdefg")), "Verdict")
    assert '<span class="more">g</span>' in page


def test_markdown() -> None:
    text = render_verdict(BAD, "markdown")
    assert "| fail | `size` | `shop is too large` |" in text
    assert "| pass | `user` | `As it is` |" in text
    assert text.endswith("- Failed.\n")


def test_json_is_the_model() -> None:
    assert VerdictSummary.model_validate_json(render_verdict(BAD, "json")) == BAD


def test_names_from_an_image_steer_nothing() -> None:
    hostile = "\x1b[2J|`<img src=x>`\nfail"
    odd = summary(rule(hostile, "fail", hostile, title=hostile), rule("user", title=hostile))
    table = render_verdict(odd, "table")
    assert "\x1b" not in table
    assert len(table.splitlines()) == 9
    markdown = render_verdict(odd, "markdown")
    cell = "`�[2J\\|'<img src=x>'�fail`"
    assert f"| fail | {cell} | {cell} |" in markdown
    assert f"| pass | `user` | {cell} |" in markdown


def test_html() -> None:
    text = verdict_page(BAD, "Verdict of shop")
    page = Page(text)
    assert page.open == []
    assert page.rows[1:] == ["fail", "pass", "skipped"]
    assert "<title>Verdict of shop</title>" in text
    assert "shop is too large" in text
    assert "Judged 1 image by 3 rules" in text
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "srcset", "style"} & {name for name, _ in page.attributes}


def test_everything_in_html_is_escaped() -> None:
    hostile = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>$title&"
    text = verdict_page(summary(rule(hostile, "fail", hostile, title=hostile)), hostile)
    page = Page(text)
    assert not {"script", "img"} & set(page.tags)
    assert "onerror" not in {name for name, _ in page.attributes}
