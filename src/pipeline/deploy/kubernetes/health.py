"""Asks the entry of a stack as people do: is it alive, ready, useful; how often does it fail."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import anyio
import httpx

from pipeline.catalogue.stack import Check
from pipeline.deploy.kubernetes.cluster import Cluster
from pipeline.errors import PipelineError

SECONDS_TO_ANSWER = 5
SECONDS_TO_COME_UP = 5
"""An endpoint that is ready may take this long until all of the network knows it."""
PAUSE = 0.1
FEWEST = 20
"""Requests before a share of failures says anything."""
SLOWEST = 0.95


class UnhealthyError(PipelineError):
    """What is deployed doesn't do what it is for."""


@dataclass(frozen=True)
class Answer:
    """What came of one request; without a status nothing came."""

    status: int
    seconds: float
    said: str

    def fits(self, check: Check) -> bool:
        """Whether it is as the check wants it."""
        return self.status in check.status


@dataclass(frozen=True)
class EntryPoint:
    """Where a stack is asked: an HTTP client, and what its paths begin with."""

    client: httpx.AsyncClient
    prefix: str = ""

    @classmethod
    def through(cls, cluster: Cluster, service: str, port: int) -> "EntryPoint":
        """Ask a Service of the cluster, by way of the API server."""
        path = cluster.path("v1/services", f"{service}:{port}/proxy")
        return cls(cluster.client, path)

    async def ask(self, check: Check) -> Answer:
        """Make the request of a check."""
        began = anyio.current_time()
        try:
            response = await self.client.request(
                check.method,
                f"{self.prefix}{check.path}",
                json=check.body,
                headers={"Accept": "*/*"},
                timeout=SECONDS_TO_ANSWER,
            )
        except httpx.TransportError as error:
            said = str(error) or type(error).__name__
            return Answer(0, anyio.current_time() - began, said)
        said = response.text.strip()[:200]
        return Answer(response.status_code, anyio.current_time() - began, said)


async def healthy(entry: EntryPoint, checks: Sequence[Check]) -> list[str]:
    """Make every check, until it succeeds or 5 s are over; says what each gave.

    Raises UnhealthyError at the first that fails.
    """
    said = []
    for check in checks:
        deadline = anyio.current_time() + SECONDS_TO_COME_UP
        answer = await entry.ask(check)
        while not answer.fits(check) and anyio.current_time() < deadline:
            await anyio.sleep(PAUSE)
            answer = await entry.ask(check)
        if not answer.fits(check):
            raise UnhealthyError(
                f"{check.method} {check.path} through the entry: expected "
                f"{' or '.join(map(str, check.status))}, got {_got(answer)}"
            )
        said.append(f"{check.method} {check.path}: {answer.status} in {_ms(answer.seconds)}")
    return said


@dataclass
class Observation:
    """Requests made while a new version is observed."""

    max_error_percent: float
    max_latency_ms: int
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def take(self, check: Check, answer: Answer) -> None:
        """Take in one answer. Raises UnhealthyError once failures are too many."""
        self.seconds.append(answer.seconds)
        # What a client did wrong is no failure here: only what a service can't do.
        if answer.status == 0 or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.failures.append(f"{check.method} {check.path}: {_got(answer)}")
        if len(self.seconds) >= FEWEST and self.error_percent > self.max_error_percent:
            raise UnhealthyError(
                f"{self.error_percent:.1f} % of {len(self.seconds)} requests through the entry "
                f"failed, at most {self.max_error_percent:g} % may "
                f"(deployment.max_error_percent).\nThe last one: {self.failures[-1]}"
            )

    def conclude(self) -> str:
        """Say how it went. Raises UnhealthyError when it was too slow, or too much failed."""
        if not self.seconds:
            return "no request was made meanwhile"
        if self.error_percent > self.max_error_percent:
            raise UnhealthyError(
                f"{len(self.failures)} of {len(self.seconds)} requests through the entry failed.\n"
                f"The last one: {self.failures[-1]}"
            )
        latency = sorted(self.seconds)[int(len(self.seconds) * SLOWEST)]
        if latency * 1000 > self.max_latency_ms:
            raise UnhealthyError(
                f"95 of 100 requests through the entry took up to {_ms(latency)}, expected at "
                f"most {self.max_latency_ms} ms (deployment.max_latency_ms)."
            )
        return (
            f"{len(self.seconds)} requests, {len(self.failures)} failed, 95 of 100 within "
            f"{_ms(latency)}"
        )

    @property
    def error_percent(self) -> float:
        """Share of requests that failed."""
        return 100 * len(self.failures) / len(self.seconds)


async def observe(entry: EntryPoint, checks: Sequence[Check], observation: Observation) -> None:
    """Make one check after the other until cancelled. Raises UnhealthyError."""
    while True:
        for check in checks:
            observation.take(check, await entry.ask(check))
            await anyio.sleep(PAUSE)


def checks_of(live: str, ready: str, functional: Sequence[Check]) -> list[Check]:
    """List what is asked of an entry: liveness, readiness, then what it is for."""
    simple: list[Any] = [Check(path=live), Check(path=ready)]
    return [*simple, *functional]


def _got(answer: Answer) -> str:
    return f"{answer.status}: {answer.said}" if answer.status else f"no answer: {answer.said}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
