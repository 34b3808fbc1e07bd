"""Sizes as people write and read them."""

import re
from decimal import Decimal

UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
MEMORY_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
MEMORY_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def parse_size(value: object) -> object:
    """Turn '5 MB' or '4.5 MiB' into bytes; a number stays what it is."""
    if not isinstance(value, str):
        return value
    for unit, factor in UNITS.items():
        number = value.removesuffix(unit).strip()
        if number != value and number.replace(".", "", 1).isdigit():
            return round(float(number) * factor)
    raise ValueError(f"expected a size such as '5 MB' or '4.5 MiB' ({', '.join(UNITS)})")


def megabytes(size: int) -> str:
    """Write bytes in megabytes: 3.53 MB."""
    return f"{size / UNITS['MB']:.2f} MB"


def cores(text: str) -> Decimal | None:
    """Read processors as Kubernetes writes them, '0.5' or '500m'; none when it isn't that."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?|[0-9]{1,12}m", text):
        return None
    return Decimal(text[:-1]) / 1000 if text.endswith("m") else Decimal(text)


def memory(text: str) -> int | None:
    """Read memory as Kubernetes writes it, '512Mi' or '1G', in bytes; none when it isn't that."""
    found = re.fullmatch(r"([0-9]{1,18})(\.[0-9]{1,3})?([KMGT]i|[kMGT])?", text)
    if found is None:
        return None
    number = Decimal((found[1] or "") + (found[2] or ""))
    return int(number * MEMORY_UNITS[found[3] or ""])
