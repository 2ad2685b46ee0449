"""Read FASTA, the format in which DNA is passed on: plain or gzip, from any operating system.

    >name what else is known
    ACGTTGCA
    ACGT

Strict where a mistake would go unseen: whatever cannot be meant is named with its line.
"""

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["FastaError", "Record", "read_fasta"]

# IUPAC's letters for a base that is not known for certain (Cornish-Bowden 1985).
AMBIGUOUS = "RYSWKMBDHVN"


class FastaError(ValueError):
    """A file is no FASTA file of DNA; the message names the file, the line and what is wrong."""


@dataclass(frozen=True)
class Record:
    """One sequence of a FASTA file.

    Attributes
    ----------
    name : str
        The header's first word.
    description : str
        The rest of the header, perhaps empty.
    sequence : str
        Capital letters A, C, G, T, and those of unknown bases.
    line : int
        Number of the header's line in its file, from 1.
    """

    name: str
    description: str
    sequence: str
    line: int


def read_fasta(
    path: str | Path,
    *,
    ambiguous: Literal["N", "keep", "raise"] = "N",
    empty: Literal["raise", "skip", "keep"] = "raise",
) -> list[Record]:
    r"""Read all records of a FASTA file of DNA.

    Line ends may be those of Linux, Windows or old Macs. Empty lines and lines that begin with ";"
    (old comments) are passed over. Small letters, which mark repeats, become capitals. A file is
    unpacked if it begins like gzip, whatever its name.

    Parameters
    ----------
    path : str or path
        The file.
    ambiguous : {"N", "keep", "raise"}
        What to do with the letters R, Y, S, W, K, M, B, D, H, V, which stand for one of several
        bases: write N, as `one_hot` reads it, keep them, or refuse them and N.
    empty : {"raise", "skip", "keep"}
        What to do with a header that no sequence follows.

    Returns
    -------
    list of Record
        In the order of the file, at least one.

    Raises
    ------
    FastaError
        If there is no record; if a line cannot belong to a FASTA file of DNA; if two records share
        a name; if a gzip file is damaged. A ValueError.
    ValueError
        If an option is unknown.

    References
    ----------
    W. R. Pearson, D. J. Lipman (1988), "Improved tools for biological sequence comparison", PNAS
    85, 2444-2448, doi:10.1073/pnas.85.8.2444; for the letters A. Cornish-Bowden (1985), Nucleic
    Acids Res. 13, 3021-3030, doi:10.1093/nar/13.9.3021.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "two.fa")
    ...     _ = path.write_bytes(b">one a gene\r\nacgt\r\nRA\r\n>two\r\nCG\r\n")
    ...     records = read_fasta(path)
    >>> [(record.name, record.sequence) for record in records]
    [('one', 'ACGTNA'), ('two', 'CG')]
    """
    if ambiguous not in ("N", "keep", "raise"):
        raise ValueError(f"ambiguous is 'N', 'keep' or 'raise', got {ambiguous!r}")
    if empty not in ("raise", "skip", "keep"):
        raise ValueError(f"empty is 'raise', 'skip' or 'keep', got {empty!r}")
    where = os.fspath(path)
    unknown = str.maketrans(AMBIGUOUS, "N" * len(AMBIGUOUS)) if ambiguous == "N" else {}
    allowed = set("ACGT") | (set() if ambiguous == "raise" else set(AMBIGUOUS))
    records: list[Record] = []
    seen: dict[str, int] = {}
    for header, start, lines in _blocks(where):
        name, _, description = header.partition(" ")
        if not name:
            raise FastaError(f"{where}, line {start}: the header has no name after '>'")
        if name in seen:
            first = f"the name {name!r} was taken in line {seen[name]}"
            raise FastaError(f"{where}, line {start}: {first}; records need names of their own")
        seen[name] = start
        for number, line in lines:
            strange = sorted(set(line) - allowed)
            if strange:
                raise FastaError(f"{where}, line {number}: {_complaint(strange)}")
        if not lines and empty == "raise":
            cure = "give empty='skip' to pass over such records"
            raise FastaError(f"{where}, line {start}: no sequence follows {name!r}; {cure}")
        if lines or empty == "keep":
            sequence = "".join(line for _, line in lines).translate(unknown)
            records.append(Record(name, description.strip(), sequence, start))
    if not records:
        raise FastaError(f"{where} holds no record: no line begins with '>' and has a sequence")
    return records


Block = tuple[str, int, list[tuple[int, str]]]


def _blocks(where: str) -> Iterator[Block]:
    """Yield each header, its line's number, and the numbered lines of its sequence in capitals."""
    block: Block | None = None
    for number, raw in _lines(where):
        line = raw.strip()
        if not line or line.startswith(";"):
            continue
        if line.startswith(">"):
            if block is not None:
                yield block
            block = (" ".join(line[1:].split()), number, [])
        elif block is None:
            likely = "; this looks like FASTQ" if line.startswith("@") else ""
            rule = "the first line of a record must begin with '>'"
            raise FastaError(f"{where}, line {number}: {rule}, got {line[:20]!r}{likely}")
        else:
            block[2].append((number, line.upper()))
    if block is not None:
        yield block


def _lines(where: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a plain or gzip file with their numbers, from 1."""
    with open(where, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    raw: gzip.GzipFile | io.BufferedReader
    raw = gzip.GzipFile(where) if packed else open(where, "rb")  # noqa: SIM115  (closed below)
    number = 0
    try:
        # This turns \r\n and \r into \n, and what is no text into a letter that no sequence has.
        with io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace") as text:
            for number, line in enumerate(text, start=1):
                yield number, line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FastaError(
            f"{where}: the gzip file is damaged after line {number}: {error}"
        ) from error


def _complaint(strange: list[str]) -> str:
    """Say which letters do not belong into DNA, and what they may mean."""
    told = f"{', '.join(map(repr, strange))} is no base"
    if "U" in strange:
        return f"{told}; this may be RNA, which writes U for T"
    if set(strange) & set("EFILPQ"):
        return f"{told}; this may be a protein"
    if set(strange) & set("-.*"):
        return f"{told}; take gaps and stops out first"
    if set(strange) <= set(AMBIGUOUS):
        return f"{told} that is known for certain, and ambiguous='raise' refuses such"
    return f"{told}; DNA is written with A, C, G, T and {', '.join(AMBIGUOUS)}"
