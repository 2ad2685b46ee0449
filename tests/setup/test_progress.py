"""Something moves while pip works."""

from pathlib import Path

import pytest
import setup_project  # noqa: F401  (puts the tools on the path)

from tools.run_pip import Progress, clock

TORCH = "  Downloading torch-2.13.0-cp311-none-linux.whl (192.0 MB)\n"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["Collecting torch>=2.6\n", "Collecting numpy\n"], "resolving: 2 packages"),
        ([TORCH], "downloading torch 192.0 MB"),
        ([TORCH, "Progress 48000000 of 192000000\n"], "192.0 MB 48 of 192 MB"),
        (["Installing collected packages: numpy, torch, scipy\n"], "installing: 1 of 3 packages"),
    ],
)
def test_what_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], words: str
) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    progress = Progress(tmp_path)
    for line in lines:
        progress.see(line)
    (site / "numpy-2.4.6.dist-info").mkdir(parents=True)
    capsys.readouterr()
    progress.shown_at = float("-inf")
    progress.tick()
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.startswith("  0:0")
    progress.tick()
    assert capsys.readouterr().err == ""  # not again so soon


def test_a_second_run_of_pip_starts_afresh(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.see("Installing collected packages: torch\n")
    progress.start()
    assert (progress.total, progress.found, progress.text) == (0, 0, "starting pip")


def test_clock() -> None:
    assert [clock(seconds) for seconds in (0, 61.9, 754)] == ["0:00", "1:01", "12:34"]
