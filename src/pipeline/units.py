"""Sizes as people write and read them."""

UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


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
