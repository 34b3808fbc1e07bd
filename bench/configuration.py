"""How long environments of many services take to read and check.

Run: `PYTHONPATH=src python -m bench.configuration`. 1,000 services with a setting each and
with five, in five environments that give every one of them a value.
"""

import resource
import time

from pipeline.catalogue.catalogue import load_services
from pipeline.config.load import load
from pipeline.config.sections import sections_of

SERVICE = """\
name: service-{number}
title: A service
kind: dockerfile
port: 8080
size_limit: 5 MB
settings:
"""
SETTING = "  value_{number}_ms: {{type: integer, minimum: 1, maximum: 9000, description: A time}}\n"
BASE = """\
partial: true
performance: {cpu_limit: "1.0", memory_limit: 1Gi, min_replicas: 1, max_replicas: 2}
deployment: {target: compose}
"""


def measured(services: int, settings: int, environments: int) -> tuple[float, float]:
    """Give the seconds from texts to checked environments, and those of computing among them."""
    declared = "".join(SETTING.format(number=number) for number in range(settings))
    values = "".join(f"  value_{number}_ms: {number + 1}\n" for number in range(settings))
    service_files = {
        f"services/s{number}/service.yml": SERVICE.format(number=number) + declared
        for number in range(services)
    }
    body = "".join(f"service_{number}:\n{values}" for number in range(services))
    files = {"config/environments/base.yml": BASE} | {
        f"config/environments/e{number}.yml": f"extends: base\n{body}"
        for number in range(environments)
    }
    start, computing = time.perf_counter(), time.process_time()
    load(sections_of(load_services(service_files)), files, {})
    return time.perf_counter() - start, time.process_time() - computing


def main() -> None:
    """Print a line for each size."""
    for services, settings in ((1000, 1), (1000, 5)):
        seconds, computing = measured(services, settings, 5)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        took = f"{seconds:.2f} s ({computing:.2f} s computing)"
        print(f"{services} services x {settings} x 5: {took}, at most {memory} MB so far")


if __name__ == "__main__":
    main()
