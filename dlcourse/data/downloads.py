"""MNIST and Fashion-MNIST, fetched only when you ask: checked, resumed, from several mirrors.

Nothing is downloaded by an import or by building the book. The files go into the folder that the
variable ``DLCOURSE_DATA`` names, by default ``~/.cache/dlcourse``.
"""

import gzip
import hashlib
import http.client
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlcourse.data.real import Dataset

__all__ = ["DownloadError", "download", "fashion_mnist", "mnist"]

IMAGES, LABELS = 2051, 2049  # the first four bytes of an IDX file: what it holds
BROKEN = (urllib.error.URLError, http.client.HTTPException, OSError)


class DownloadError(OSError):
    """No mirror could give the file; the message says why, and what to do."""


@dataclass(frozen=True)
class _File:
    name: str
    n_bytes: int
    sha256: str


@dataclass(frozen=True)
class _Collection:
    title: str
    folder: str
    mirrors: tuple[str, ...]
    files: tuple[_File, ...]  # training images, training labels, test images, test labels
    class_names: tuple[str, ...]
    source: str


NAMES = (
    *("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    *("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
)
MNIST = _Collection(
    title="MNIST",
    folder="mnist",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    files=(
        _File(
            NAMES[0], 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        ),
        _File(NAMES[1], 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        _File(
            NAMES[2], 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        ),
        _File(NAMES[3], 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
    class_names=tuple("0123456789"),
    source="LeCun, Bottou, Bengio, Haffner (1998), from NIST Special Databases 1 and 3",
)
FASHION = _Collection(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    files=(
        _File(
            NAMES[0], 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
        ),
        _File(NAMES[1], 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        _File(
            NAMES[2], 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
        ),
        _File(NAMES[3], 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
    class_names=(
        *("T-shirt", "trousers", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
    source="Xiao, Rasul, Vollgraf (2017), arXiv:1708.07747",
)


def mnist(
    folder: str | Path | None = None, *, download: bool = False, progress: bool = True
) -> tuple[Dataset, Dataset]:
    """Load MNIST: 60,000 handwritten digits to learn from and 10,000 by other writers to test.

    Parameters
    ----------
    folder : path, optional
        Where the files are or shall go; by default ``$DLCOURSE_DATA/mnist``.
    download : bool, default False
        Fetch what is missing (11.6 MB). Without it nothing is ever downloaded.
    progress : bool, default True
        Show a bar if someone watches.

    Returns
    -------
    (train, test) : Dataset
        Grey values from 0 (paper) to 1 (ink), 784 a row; ``.images`` are 28 x 28.

    Raises
    ------
    FileNotFoundError
        If the files are not there and ``download`` is False.
    DownloadError
        If no mirror can be reached or none gives the right bytes.
    ValueError
        If a file that is there is damaged.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), Proc. IEEE 86, 2278-2324,
    doi:10.1109/5.726791.
    """
    return _load(MNIST, folder, download, progress)


def fashion_mnist(
    folder: str | Path | None = None, *, download: bool = False, progress: bool = True
) -> tuple[Dataset, Dataset]:
    """Load Fashion-MNIST: 70,000 photographs of clothes, in the form of `mnist` (30.9 MB).

    Parameters, returns and errors are those of `mnist`.

    References
    ----------
    H. Xiao, K. Rasul, R. Vollgraf (2017), arXiv:1708.07747.
    """
    return _load(FASHION, folder, download, progress)


def download(
    urls: Sequence[str],
    path: str | Path,
    *,
    sha256: str,
    n_bytes: int | None = None,
    progress: bool = True,
    timeout: float = 30.0,
) -> Path:
    """Fetch a file from the first of several addresses that gives the right bytes.

    What arrives is kept in ``<path>.part``, where the next attempt, or the next mirror, goes on.
    Only a complete file with the right checksum gets its name, in one move; so a file that is there
    is whole.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the same file, http or https, tried in this order.
    path : path
        Where to; folders are made. If the right file is there already, nothing is fetched.
    sha256 : str
        Its checksum, 64 hexadecimal digits.
    n_bytes : int, optional
        Its size; a server that sends more is cut off.
    progress : bool, default True
        Show a bar if someone watches (a terminal or Jupyter) and ``TQDM_DISABLE`` is not set.
    timeout : float
        Seconds without an answer after which a mirror is given up.

    Returns
    -------
    Path
        Where the file is.

    Raises
    ------
    DownloadError
        If no address could give it; names what went wrong at each, and how to do it by hand.
    ValueError
        If there is no address, one is not http, or the checksum is none.
    """
    path = Path(path)
    if not urls or not all(url.startswith(("https://", "http://")) for url in urls):
        raise ValueError(f"urls must be one http address or more, got {list(urls)}")
    if not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"sha256 must be 64 hexadecimal digits, got {sha256!r}")
    if path.is_file() and _checksum(path) == sha256.lower():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part, troubles = path.with_name(path.name + ".part"), []
    for url in urls:
        for _attempt in range(2):  # if what was there before spoils it, once more from the start
            resumed = part.exists() and part.stat().st_size > 0
            try:
                _fetch(url, part, n_bytes, progress, timeout)
            except BROKEN as error:
                troubles.append(f"{url}: {_reason(error)}")
                break
            if _checksum(part) == sha256.lower():
                os.replace(part, path)
                return path
            part.unlink()
            if not resumed:
                troubles.append(f"{url}: sent other bytes (the checksum is wrong)")
                break
    raise DownloadError(
        f"could not download {path.name}:\n  " + "\n  ".join(troubles) + "\nIf this machine is "
        f"offline, fetch the file elsewhere, from {urls[0]} , and put it at {path} ; otherwise try "
        f"again{': what has arrived is kept' if part.exists() else ''}."
    )


def _fetch(url: str, part: Path, n_bytes: int | None, progress: bool, timeout: float) -> None:
    """Append to the part what is missing of it, or start anew where the server cannot resume."""
    done = part.stat().st_size if part.exists() else 0
    if n_bytes is not None and done >= n_bytes:
        return  # whole already, or too long: the checksum will tell
    request = urllib.request.Request(url, headers={"User-Agent": "dlcourse"})
    if done:
        request.add_header("Range", f"bytes={done}-")
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if not (done and error.code == 416):  # nothing lies behind what we have
            raise
        return
    with answer:
        start = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range") or "")
        resumes = answer.status == 206 and start is not None and int(start[1]) == done
        done = done if resumes else 0
        size = answer.headers.get("Content-Length")
        total = done + int(size) if size else n_bytes
        if n_bytes is not None and total != n_bytes:  # a login page, for instance: keep the part
            raise OSError(f"announces {total} bytes instead of {n_bytes}")
        with part.open("ab" if resumes else "wb") as file, _bar(part, done, total, progress) as bar:
            while block := answer.read(1 << 16):
                file.write(block)
                bar.update(len(block))
                done += len(block)
                if n_bytes is not None and done > n_bytes:
                    raise OSError(f"sent more than the {n_bytes} bytes of the file")
    if total is not None and done < total:
        raise OSError(f"broke off after {done} of {total} bytes")


def _bar(part: Path, done: int, total: int | None, show: bool) -> Any:
    from tqdm import tqdm

    seen = sys.stderr.isatty() or "ipykernel" in sys.modules
    hide = not (show and seen and os.environ.get("TQDM_DISABLE", "0") in ("", "0"))
    size: dict[str, Any] = {"unit": "B", "unit_scale": True, "initial": done, "total": total}
    return tqdm(desc=part.stem, leave=False, disable=hide, **size)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    return f"{type(error).__name__}, {reason or error}"


def _load(
    what: _Collection, folder: str | Path | None, fetch: bool, progress: bool
) -> tuple[Dataset, Dataset]:
    home = Path(os.environ.get("DLCOURSE_DATA") or Path.home() / ".cache" / "dlcourse")
    where = home / what.folder if folder is None else Path(folder)
    if fetch:
        absent = [file.name for file in what.files if not (where / file.name).is_file()]
        for file in what.files:
            urls = [mirror + file.name for mirror in what.mirrors]
            path, rest = where / file.name, {"n_bytes": file.n_bytes, "progress": progress}
            try:
                download(urls, path, sha256=file.sha256, **rest)  # type: ignore[arg-type]
            except DownloadError as error:
                raise DownloadError(f"{error}\nMissing in {where}: {', '.join(absent)}") from None
            absent = [name for name in absent if name != file.name]
    missing = [file.name for file in what.files if not (where / file.name).is_file()]
    if missing:
        size = sum(file.n_bytes for file in what.files) / 1e6
        raise FileNotFoundError(
            f"{what.title} is not in {where} ({', '.join(missing)} missing). Call "
            f"data.{what.folder.replace('-', '_')}(download=True) to fetch it ({size:.1f} MB)"
        )
    for file in what.files:
        if _checksum(where / file.name) != file.sha256:
            name = where / file.name
            raise ValueError(f"{name} is damaged: delete it and call with download=True")
    parts = [_read_idx(where / file.name) for file in what.files]
    sets = []
    for name, images, labels in (("training", *parts[:2]), ("test", *parts[2:])):
        _, H, W = images.shape
        sets.append(
            Dataset(
                name=f"{what.title}, {name} part",
                X=torch.from_numpy(images.reshape(len(images), H * W)).float() / 255,
                y=torch.from_numpy(labels).long(),
                feature_names=tuple(f"row {i} column {j}" for i in range(H) for j in range(W)),
                class_names=what.class_names,
                source=what.source,
                image_shape=(H, W),
            )
        )
    return sets[0], sets[1]


def _read_idx(path: Path) -> Any:
    """Read an IDX file: a magic number, the sizes, each of four bytes, then one byte a value."""
    with gzip.open(path) as file:
        raw = file.read()
    magic = int.from_bytes(raw[:4], "big")
    if magic not in (IMAGES, LABELS):
        raise ValueError(f"{path} is no IDX file of bytes: it begins with {magic}")
    n_axes = magic % 256
    sizes = np.frombuffer(raw, ">u4", n_axes, 4).astype(int)
    values = np.frombuffer(raw, np.uint8, -1, 4 + 4 * n_axes)
    if len(values) != sizes.prod():
        raise ValueError(f"{path} announces {tuple(sizes)} values and holds {len(values)}")
    return values.reshape(sizes).copy()
