"""Amino acids: published scores, and counts of an alignment by brute force."""

import itertools

import pytest
import torch
from Bio.SeqUtils.ProtParamData import kd
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import data


def test_blosum62_as_published():
    table = data.blosum62()
    assert table.shape == (20, 20)
    assert torch.equal(table, table.T)
    score = {(a, b): int(table[i, j]) for i, a in enumerate(data.AMINO_ACIDS)
             for j, b in enumerate(data.AMINO_ACIDS)}  # fmt: skip
    assert [score[a, a] for a in data.AMINO_ACIDS] == [
        4, 5, 6, 6, 9, 5, 5, 6, 8, 4, 4, 5, 5, 6, 7, 4, 5, 11, 7, 4
    ]  # fmt: skip
    assert (score["W", "Y"], score["I", "V"], score["G", "I"], score["K", "R"]) == (2, 3, -4, 2)
    assert (table.diag()[:, None] >= table).all()


def test_hydropathy_as_published():
    assert kd == data.HYDROPATHY, "Biopython's copy of the table says the same"


def test_the_globins_are_aligned_and_share_their_two_famous_residues():
    alignment = data.globins()
    assert {len(sequence) for sequence in alignment.values()} == {147}
    assert set("".join(alignment.values())) <= set(data.AMINO_ACIDS + "-")
    columns = ["".join(column) for column in zip(*alignment.values(), strict=True)]
    constant = [column[0] for column in columns if len(set(column)) == 1]
    assert "H" in constant, "the proximal histidine holds the haem"
    assert "F" in constant, "phenylalanine CD1 touches it"


@given(st.lists(st.text("ARN-X", min_size=4, max_size=4), min_size=2, max_size=5))
def test_substitutions_by_brute_force(alignment):
    table = torch.zeros(20, 20, dtype=torch.float64)
    for column in zip(*alignment, strict=True):
        residues = [c for c in column if c in data.AMINO_ACIDS]
        for a, b in itertools.permutations(residues, 2):
            i, j = data.AMINO_ACIDS.index(a), data.AMINO_ACIDS.index(b)
            table[i, j] += 1 / (len(residues) - 1)
    assert torch.allclose(data.substitutions(alignment), table)


@pytest.mark.parametrize("alignment", [[], ["ACD"], ["AC", "ACD"]])
def test_what_is_no_alignment_is_refused(alignment):
    with pytest.raises(ValueError, match="two or more equally long"):
        data.substitutions(alignment)
