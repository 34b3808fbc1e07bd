"""Texts that some format or shell has its own idea of."""

from random import Random

PIECES = [*"ab0 \\'\"$`#\n\t!{}[]~*é=;&|<>:,-%@€𝄞\u2028\x85\r\x07\ufeff"]
PIECES += ["no", "null", "1.0", "0777", "1:30", "<<", "${A}", "$$", "\\n", "\\'", "---\n", "'''"]


def hostile(random: Random) -> str:
    """A short text of such pieces."""
    return "".join(random.choices(PIECES, k=random.randint(0, 6)))
