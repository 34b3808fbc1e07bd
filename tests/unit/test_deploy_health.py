"""What the entry of a stack is asked, and when its answers are too bad."""

import httpx
import pytest

from pipeline.catalogue.stack import Check
from pipeline.deploy.kubernetes import health
from pipeline.deploy.kubernetes.health import (
    Answer,
    EntryPoint,
    Observation,
    UnhealthyError,
    checks_of,
    healthy,
)

CHECK = Check(path="/ready")


def entry(*statuses: int) -> EntryPoint:
    """An entry that answers with these, then with the last one again and again."""
    remaining = list(statuses)

    def answer(_: httpx.Request) -> httpx.Response:
        status = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if status == 0:
            raise httpx.ConnectError("refused")
        return httpx.Response(status, text="words")

    transport = httpx.MockTransport(answer)
    return EntryPoint(httpx.AsyncClient(base_url="http://entry", transport=transport))


async def test_what_comes_up_is_waited_for() -> None:
    [said] = await healthy(entry(0, 503, 200), [CHECK])
    assert said.startswith("GET /ready: 200 in ")


@pytest.mark.parametrize(
    ("status", "got"), [(503, "got 503: words"), (404, "got 404"), (0, "got no answer: refused")]
)
async def test_what_does_not_come_up_is_told(
    monkeypatch: pytest.MonkeyPatch, status: int, got: str
) -> None:
    monkeypatch.setattr(health, "SECONDS_TO_COME_UP", 0)
    with pytest.raises(UnhealthyError, match=f"GET /ready through the entry: expected 200, {got}"):
        await healthy(entry(status), [CHECK])


async def test_the_whole_request_is_made() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201)

    client = httpx.AsyncClient(
        base_url="http://entry", transport=httpx.MockTransport(answer), headers={"a": "b"}
    )
    check = Check(method="POST", path="/texts?a=b", body={"text": "Hello"}, status=[200, 201])
    await healthy(EntryPoint(client, "/prefix"), [check])
    assert [(each.method, str(each.url), each.content) for each in seen] == [
        ("POST", "http://entry/prefix/texts?a=b", b'{"text":"Hello"}')
    ]


def observed(failures: int, successes: int, seconds: float = 0.01) -> Observation:
    observation = Observation(max_error_percent=1, max_latency_ms=100)
    for status in [200] * successes + [500] * failures:
        observation.take(CHECK, Answer(status, seconds, "words"))
    return observation


def test_one_failure_of_a_hundred_may_be() -> None:
    assert observed(1, 99).conclude() == "100 requests, 1 failed, 95 of 100 within 10 ms"


def test_more_than_that_ends_it_at_once() -> None:
    with pytest.raises(UnhealthyError, match=r"4\.8 % of 21 requests .*\nThe last one: GET /ready"):
        observed(1, 20)


def test_a_few_requests_are_judged_at_the_end() -> None:
    with pytest.raises(UnhealthyError, match="2 of 12 requests through the entry failed"):
        observed(2, 10).conclude()


def test_slow_is_unhealthy() -> None:
    with pytest.raises(UnhealthyError, match="took up to 200 ms, expected at most 100 ms"):
        observed(0, 30, 0.2).conclude()


def test_a_clients_mistake_is_no_failure() -> None:
    observation = Observation(max_error_percent=1, max_latency_ms=100)
    for _ in range(30):
        observation.take(CHECK, Answer(404, 0.01, ""))
    assert "0 failed" in observation.conclude()


def test_liveness_and_readiness_come_first() -> None:
    paths = [check.path for check in checks_of("/live", "/ready", [Check(path="/")])]
    assert paths == ["/live", "/ready", "/"]


def test_no_answer_is_a_failure() -> None:
    observation = Observation(max_error_percent=1, max_latency_ms=100)
    observation.take(CHECK, Answer(0, 0.01, "refused"))
    with pytest.raises(UnhealthyError, match="The last one: GET /ready: no answer: refused"):
        observation.conclude()
