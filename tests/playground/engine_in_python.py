"""The playground's random numbers and order of samples, written anew from their description."""

from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "book/_static/playground"
WORD = 0xFFFFFFFF
GOLDEN = 0x9E3779B9


def mix(bits: int) -> int:
    bits &= WORD
    bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & WORD
    bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & WORD
    return bits ^ (bits >> 16)


def turn(bits: int, by: int) -> int:
    return (bits << by | bits >> (32 - by)) & WORD


class Random:
    """xoshiro128**, as its authors publish it."""

    def __init__(self, seed: int, stream: int) -> None:
        key = mix(seed) + stream
        self.state = [mix(key + k * GOLDEN) for k in (1, 2, 3, 4)]

    def bits(self) -> int:
        s = self.state
        answer = turn(s[1] * 5 & WORD, 7) * 9 & WORD
        shifted = s[1] << 9 & WORD
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = turn(s[3], 11)
        return answer

    def shuffle(self, order: list[int]) -> None:
        for i in range(len(order) - 1, 0, -1):
            j = self.bits() * (i + 1) >> 32
            order[i], order[j] = order[j], order[i]


def batches(n: int, batch_size: int, n_updates: int, seed: int) -> list[list[int]]:
    """Return which samples each update learns from."""
    random, order, chosen = Random(seed, 1), list(range(n)), []
    while len(chosen) < n_updates:
        random.shuffle(order)
        chosen += [order[at : at + batch_size] for at in range(0, n, batch_size)]
    return chosen[:n_updates]


def dropout_factors(seed: int, seen: int, n: int, first: int, neurons: int, p: float) -> np.ndarray:
    """Return what a layer's answers to the next n samples are multiplied by."""
    base = Random(seed, 2).bits()
    keys = [mix(base + seen + s) for s in range(n)]
    drawn = [[mix(key + (first + j + 1) * GOLDEN) for j in range(neurons)] for key in keys]
    return np.where(np.array(drawn) < p * 2**32, 0.0, 1 / (1 - p))
