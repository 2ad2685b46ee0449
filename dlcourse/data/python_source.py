"""A corpus that is on every reader's machine: the source of Python's standard library."""

import io
import keyword
import os
import sysconfig
import tokenize
from pathlib import Path

__all__ = ["ANALOGIES", "identifiers", "standard_library"]

# Folders that are not everywhere (Linux distributions ship them apart), that later Pythons dropped,
# or that hold tests and tables.
LEFT_OUT = {"test", "tests", "site-packages", "dist-packages", "__pycache__", "pydoc_data"}
LEFT_OUT |= {"idlelib", "tkinter", "turtledemo", "lib2to3", "distutils", "encodings", "ensurepip"}
CONSTANTS = {"True", "False", "None"}

# Pairs of names that stand in the same relation; each two pairs of a line make a question.
ANALOGIES = {
    "one side and the other": (
        "left right, first last, lower upper, min max, before after, prefix suffix, head tail, "
        "lstrip rstrip, ljust rjust, startswith endswith, start stop, old new"
    ),
    "in and out": (
        "read write, loads dumps, load dump, recv send, stdin stdout, decode encode, "
        "reader writer, decoder encoder, input output"
    ),
    "get and set": (
        "getattr setattr, __getattr__ __setattr__, __getitem__ __setitem__, __get__ __set__, "
        "__getstate__ __setstate__"
    ),
    "operator and its mirror image": (
        "__add__ __radd__, __sub__ __rsub__, __mul__ __rmul__, __and__ __rand__, __or__ __ror__, "
        "__xor__ __rxor__"
    ),
    "waiting and not": (
        "__enter__ __aenter__, __exit__ __aexit__, __iter__ __aiter__, __next__ __anext__"
    ),
    "less and greater": "__lt__ __gt__, __le__ __ge__",
    "a type that changes and one that does not": "list tuple, set frozenset, bytearray bytes",
}


def identifiers(source: str) -> list[str]:
    """Return the names in Python source, in order, without keywords, strings and comments.

    True, False and None stay. Names inside f-strings are left out in every Python; from 3.12 on
    `tokenize` reports them, before it did not.

    Raises
    ------
    ValueError
        If the text is no Python.

    Examples
    --------
    >>> identifiers("for word in text: print(word, f'{text}')  # a loop")
    ['word', 'text', 'print', 'word']
    """
    start, end = (getattr(tokenize, f"FSTRING_{what}", None) for what in ("START", "END"))
    names, depth = [], 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            depth += (token.type == start) - (token.type == end)
            if token.type == tokenize.NAME and not depth:
                name = token.string
                if not keyword.iskeyword(name) or name in CONSTANTS:
                    names.append(name)
    except (tokenize.TokenError, SyntaxError) as error:
        raise ValueError(f"this is no complete Python source: {error}") from error
    return names


def standard_library(folder: str | Path | None = None) -> list[list[str]]:
    """Return the identifiers of each file of Python's standard library, or of another folder.

    Files come in the order of their paths. Folders of tests, and those that are missing on some
    machines or from some versions, are left out; so are files that are no Python.

    Parameters
    ----------
    folder : path, optional
        Where to look; by default where this Python keeps its library.

    Raises
    ------
    FileNotFoundError
        If no source is there.

    Examples
    --------
    >>> sum(len(names) for names in standard_library()) > 200_000
    True
    """
    root = Path(sysconfig.get_path("stdlib") if folder is None else folder)
    paths = []
    for place, folders, files in os.walk(root):
        kept = [f for f in folders if f not in LEFT_OUT and not f.startswith("config-")]
        folders[:] = kept  # os.walk goes only there
        paths += [Path(place, f) for f in files if f.endswith(".py")]
    documents = []
    for path in sorted(paths, key=lambda p: p.relative_to(root).as_posix()):
        try:
            with tokenize.open(path) as file:
                documents.append(identifiers(file.read()))
        except (ValueError, SyntaxError):  # another language, or another encoding
            continue
    if not documents:
        raise FileNotFoundError(f"there is no Python source in {root}")
    return documents
