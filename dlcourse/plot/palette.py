"""The colours of every figure, each for light pages and for dark ones.

Data alone: the builder of the site reads it without importing Matplotlib.
"""

from __future__ import annotations

__all__ = ["INK", "PALETTE"]

INK = "#000000"
"""Black: the colour of the text around the figure, in either theme."""

PALETTE: dict[str, tuple[str, str]] = {
    # lines, points and labels: readable as text on both papers
    "blue": ("#1d6fb8", "#6db3f5"),
    "orange": ("#b85a00", "#f6a55c"),
    "green": ("#0c7f5f", "#55caa0"),
    "purple": ("#7a4cb8", "#bd9df3"),
    "red": ("#bf3535", "#f58a83"),
    "sky": ("#0b7c99", "#5fcbe4"),
    # fills behind them
    "blue-soft": ("#d7e7f7", "#1c3450"),
    "orange-soft": ("#fbe3cc", "#4a3018"),
    "green-soft": ("#d3efe4", "#15402f"),
    "purple-soft": ("#e8def6", "#372a52"),
    "red-soft": ("#f8dcda", "#4d2525"),
    "sky-soft": ("#d2eef4", "#143c48"),
    # ramps for counts: blue for right, orange for wrong
    "blue-1": ("#e9f2fb", "#182838"),
    "blue-2": ("#c4dcf3", "#1f4263"),
    "blue-3": ("#9fc8ee", "#27598a"),
    "orange-1": ("#fdf0e2", "#33261a"),
    "orange-2": ("#f9d3ad", "#593a1c"),
    "orange-3": ("#f4b679", "#7d4e1d"),
    # the page itself, and what should stay quiet on it
    "paper": ("#fefefe", "#14181e"),
    "faint": ("#f2f4f7", "#1d232b"),
    "grid": ("#e4e8ec", "#2b323b"),
    "axis": ("#8d97a3", "#707b88"),
    "muted": ("#5c6773", "#9ba7b4"),
    # the best that is possible: used for nothing else
    "limit": ("#ad1a72", "#f38cc6"),
}
