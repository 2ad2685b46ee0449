"""The corpus of Python's own source: what counts as a name, in every version of Python."""

import keyword

import pytest

from dlcourse import data


def test_names_without_keywords_strings_and_comments():
    source = 'def add(a, b=None):\n    """Add a to b."""\n    return a + b  # gives a sum\n'
    assert data.identifiers(source) == ["add", "a", "b", "None", "a", "b"]


def test_names_inside_f_strings_count_in_no_version():
    assert data.identifiers("f'{x + f\"{y}\"}' + z") == ["z"] or data.identifiers("f'{x}' + z") == [
        "z"
    ]
    assert data.identifiers("f'{x:{width}}'.strip(y)") == ["strip", "y"]


def test_soft_keywords_are_names():
    assert data.identifiers("match = case") == ["match", "case"]


@pytest.mark.parametrize("source", ["f(", "'''", "if a:\n  b\n c\n"])
def test_what_is_no_python_is_refused(source):
    with pytest.raises(ValueError, match="no complete Python source"):
        data.identifiers(source)


def test_a_folder_is_read_in_order_and_without_tests(tmp_path):
    for name, text in {
        "b.py": "second", "a.py": "first", "test/c.py": "never", "deep/d.py": "third",
        "e.py": "f(", "f.txt": "never", "g.py": "'\xe4'",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="latin-1")
    assert data.standard_library(tmp_path) == [["first"], ["second"], ["third"]]


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no Python source in"):
        data.standard_library(tmp_path)


def test_every_analogy_is_made_of_pairs_of_names():
    for family, listed in data.ANALOGIES.items():
        pairs = [pair.split() for pair in listed.split(", ")]
        assert len(pairs) >= 2, family
        for pair in pairs:
            assert len(pair) == 2, pair
            assert all(name.isidentifier() and not keyword.iskeyword(name) for name in pair)
        assert len({name for pair in pairs for name in pair}) >= 2 * len(pairs) - 2
