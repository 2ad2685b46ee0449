"""FASTA as it comes: from any system, packed or not, and what is wrong with it by line."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.data import FastaError, Record, one_hot, read_fasta


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="some.fa"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


PLAIN = ">one a gene\nACGT\nAC\n>two\nGG\n"
WANTED = [Record("one", "a gene", "ACGTAC", 1), Record("two", "", "GG", 4)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("last", [True, False])
def test_all_line_ends_plain_and_packed(write, end, packed, last):
    content = PLAIN.replace("\n", end).encode()
    content = content if last else content.rstrip()
    path = write(gzip.compress(content) if packed else content)  # the name says nothing
    assert read_fasta(path) == WANTED
    assert read_fasta(str(path)) == WANTED


def test_small_letters_comments_empty_lines_marks_and_blanks(write):
    content = "\ufeff; an old comment\n\n>one\ta  gene \nacgt  \n\n;more\nAc\n\n>two\ngG\n"
    records = read_fasta(write(content))
    assert [(r.name, r.description, r.sequence) for r in records] == [
        ("one", "a gene", "ACGTAC"),
        ("two", "", "GG"),
    ]
    assert [r.line for r in records] == [3, 9]


def test_ambiguous_bases_three_ways(write):
    path = write(">one\nACRYSWKMBDHVNt\n")
    (record,) = read_fasta(path)
    assert record.sequence == "AC" + "N" * 11 + "T"
    assert one_hot([record.sequence]).shape == (1, 4, 14)
    assert read_fasta(path, ambiguous="keep")[0].sequence == "ACRYSWKMBDHVNT"
    with pytest.raises(FastaError, match=r"line 2: .*'B', .* no base that is known for certain"):
        read_fasta(path, ambiguous="raise")


def test_empty_records_three_ways(write):
    path = write(">one\nAC\n>nothing here\n\n>three\nG\n>last\n")
    with pytest.raises(FastaError, match=r"some.fa, line 3: no sequence follows 'nothing'"):
        read_fasta(path)
    assert [r.name for r in read_fasta(path, empty="skip")] == ["one", "three"]
    kept = read_fasta(path, empty="keep")
    assert [(r.name, r.sequence) for r in kept] == [
        ("one", "AC"),
        ("nothing", ""),
        ("three", "G"),
        ("last", ""),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no record"),
        ("\n\n", "holds no record"),
        ("ACGT\n>one\nAC\n", r"line 1: the first line .* must begin with '>', got 'ACGT'"),
        ("\n\n@read\nACGT\n+\nIIII\n", r"line 3: .* FASTQ"),
        (">\nACGT\n", "line 1: the header has no name"),
        (">a\nAC\n>b\nAC\n>a\nGT\n", "line 5: the name 'a' was taken in line 1"),
        (">a\nAC\nACUU\n", r"line 3: 'U' is no base; this may be RNA"),
        (">a\nMKLV\n", r"line 2: 'L' is no base; this may be a protein"),
        (">a\nAC-GT\n", r"line 2: '-' is no base; take gaps"),
        (">a\n\n\nAC GT\n", r"line 4: ' ' is no base; DNA is written with"),
        (">a\nAC1GT\n", r"line 2: '1' is no base"),
        (b">a\nAC\xffGT\n", r"line 2: '\ufffd' is no base"),
        (gzip.compress(PLAIN.encode())[:-9], r"gzip file is damaged after line"),
        (b"\x1f\x8bnothing that was packed", "gzip file is damaged after line 0"),
    ],
)
def test_what_is_wrong_is_named_by_line(write, content, message):
    with pytest.raises(FastaError, match=message):
        read_fasta(write(content))


def test_a_header_may_hold_what_is_no_text(write):
    assert read_fasta(write(b">a caf\xe9\nAC\n"))[0].sequence == "AC"


def test_all_records_empty_and_skipped_is_no_record(write):
    with pytest.raises(FastaError, match="holds no record"):
        read_fasta(write(">a\n>b\n"), empty="skip")


def test_unknown_options_and_missing_files(write, tmp_path):
    path = write(PLAIN)
    with pytest.raises(ValueError, match="ambiguous is 'N', 'keep' or 'raise', got 'drop'"):
        read_fasta(path, ambiguous="drop")
    with pytest.raises(ValueError, match="empty is 'raise', 'skip' or 'keep', got 'drop'"):
        read_fasta(path, empty="drop")
    with pytest.raises(FileNotFoundError):
        read_fasta(tmp_path / "not there.fa")


@given(
    st.lists(st.text("ACGTN", min_size=1, max_size=30), min_size=1, max_size=4),
    st.integers(1, 9),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_what_was_written_is_read(tmp_path_factory, sequences, width, end, packed):
    lines = []
    for k, s in enumerate(sequences):
        lines += [f">r{k}", *(s[i : i + width] for i in range(0, len(s), width))]
    content = (end.join(lines) + end).encode()
    path = tmp_path_factory.mktemp("fasta") / "x.fa"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert [r.sequence for r in read_fasta(path)] == sequences
