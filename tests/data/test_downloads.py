"""Downloads against a server of our own on 127.0.0.1 that lies, breaks off and comes back."""

import gzip
import hashlib
import re
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from dlcourse.data import downloads
from dlcourse.data.downloads import DownloadError, download

CONTENT = np.random.default_rng(0).bytes(200_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Serves CONTENT; `ways` says how each folder of the address behaves."""

    def __init__(self):
        self.asked = []  # (folder, Range header or None), in order
        self.files = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, h):
        folder, name = h.path.strip("/").split("/", 1)
        wanted = h.headers.get("Range")
        self.asked.append((folder, wanted))
        content = self.files.get(name, CONTENT)
        if folder == "gone":
            h.send_error(404)
            return
        if folder == "wrong":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if folder == "page":  # what a network asks for before it lets anything through
            content, wanted = b"<p>Please log in</p>", None
        start = int(re.match(r"bytes=(\d+)-", wanted)[1]) if wanted else 0
        start = 0 if folder == "norange" else start
        if start >= len(content):
            h.send_error(416)
            return
        h.send_response(206 if start else 200)
        if start:
            at = 0 if folder == "misplaced" else start
            h.send_header("Content-Range", f"bytes {at}-{len(content) - 1}/{len(content)}")
        body = content[start:] + (b"more" if folder == "long" else b"")
        if folder != "long":
            h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        h.wfile.write(body[: len(body) // 2] if folder == "breaks" else body)

    def url(self, folder, name="data.bin"):
        return f"{self.address}/{folder}/{name}"


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()
    server.thread.join()


def fetch(server, path, *folders, **options):
    return download([server.url(f) for f in folders], path, sha256=SHA, timeout=10, **options)


def test_a_file_arrives_and_is_not_asked_for_again(server, tmp_path):
    path = tmp_path / "deep" / "data.bin"
    assert fetch(server, path, "good") == path
    assert path.read_bytes() == CONTENT
    fetch(server, path, "good")
    assert server.asked == [("good", None)]
    assert [p.name for p in path.parent.iterdir()] == ["data.bin"]  # nothing left lying about


def test_a_damaged_file_is_replaced(server, tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(b"damaged")
    fetch(server, path, "good")
    assert path.read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_and_nothing_stays(server, tmp_path):
    path = tmp_path / "data.bin"
    with pytest.raises(DownloadError, match=r"wrong/data\.bin: sent other bytes"):
        fetch(server, path, "wrong")
    assert list(tmp_path.iterdir()) == []
    assert len(server.asked) == 1  # a server that lies is not asked twice


def test_mirrors_fall_over_one_after_the_other(server, tmp_path):
    path = tmp_path / "data.bin"
    fetch(server, path, "gone", "wrong", "good")
    assert path.read_bytes() == CONTENT
    assert [folder for folder, _ in server.asked] == ["gone", "wrong", "good"]


def test_an_interrupted_download_is_resumed(server, tmp_path):
    path, part = tmp_path / "data.bin", tmp_path / "data.bin.part"
    with pytest.raises(DownloadError, match="again: what has arrived is kept"):
        fetch(server, path, "breaks")
    assert not path.exists()
    assert part.read_bytes() == CONTENT[:100_000]
    fetch(server, path, "good")
    assert path.read_bytes() == CONTENT
    assert not part.exists()
    assert server.asked[-1] == ("good", "bytes=100000-")


def test_the_next_mirror_goes_on_where_the_last_broke_off(server, tmp_path):
    fetch(server, tmp_path / "data.bin", "breaks", "good")
    assert server.asked == [("breaks", None), ("good", "bytes=100000-")]
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("folder", ["norange", "misplaced"])
def test_a_server_that_cannot_resume_starts_anew(server, tmp_path, folder):
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:777])
    fetch(server, tmp_path / "data.bin", folder, "good")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_spoilt_part_is_thrown_away(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"x" * 500)
    fetch(server, tmp_path / "data.bin", "good")
    assert server.asked == [("good", "bytes=500-"), ("good", None)]
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("extra", [b"", b"too much"])
def test_a_part_that_is_whole_or_longer(server, tmp_path, extra):
    (tmp_path / "data.bin.part").write_bytes(CONTENT + extra)
    fetch(server, tmp_path / "data.bin", "good")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert len(server.asked) == (2 if extra else 1)


def test_with_a_known_size_a_whole_part_needs_no_server(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    fetch(server, tmp_path / "data.bin", "gone", n_bytes=len(CONTENT))
    assert server.asked == []


def test_a_server_that_sends_more_is_cut_off(server, tmp_path):
    with pytest.raises(DownloadError, match="sent more than the 200000 bytes"):
        fetch(server, tmp_path / "data.bin", "long", n_bytes=len(CONTENT))


def test_a_login_page_costs_nothing_that_had_arrived(server, tmp_path):
    path = tmp_path / "data.bin"
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:150_000])
    with pytest.raises(DownloadError, match="announces 20 bytes instead of 200000"):
        fetch(server, path, "page", n_bytes=len(CONTENT))
    assert (tmp_path / "data.bin.part").read_bytes() == CONTENT[:150_000]
    fetch(server, path, "page", "good", n_bytes=len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert server.asked[-1] == ("good", "bytes=150000-")


def test_offline_it_says_what_to_do(server, tmp_path):
    server.http.shutdown()
    server.http.server_close()
    path = tmp_path / "data.bin"
    with pytest.raises(DownloadError) as caught:
        fetch(server, path, "good", "second")
    said = str(caught.value)
    for words in ("offline", server.url("good"), server.url("second"), f"put it at {path}"):
        assert words in said
    assert not path.exists()


@pytest.mark.parametrize(
    ("urls", "sha256", "message"),
    [
        ([], SHA, "one http address or more"),
        (["file:///etc/passwd"], SHA, "one http address or more"),
        (["http://127.0.0.1/"], "abc", "64 hexadecimal digits, got 'abc'"),
    ],
)
def test_impossible_requests_are_refused(urls, sha256, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        download(urls, tmp_path / "x", sha256=sha256)


def idx(values):
    head = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(head + values.tobytes(), mtime=0)


@pytest.fixture
def small_mnist(server, monkeypatch):
    """A collection of 6 + 4 images of 2 x 3 pixels that the server has."""
    dice = np.random.default_rng(0)
    arrays = [
        part for n in (6, 4) for part in (dice.integers(0, 256, (n, 2, 3)), dice.integers(0, 10, n))
    ]
    arrays = [a.astype(np.uint8) for a in arrays]
    for name, array in zip(downloads.NAMES, arrays, strict=True):
        server.files[name] = idx(array)
    files = tuple(
        downloads._File(name, len(raw), hashlib.sha256(raw).hexdigest())
        for name, raw in server.files.items()
    )
    mirrors = (server.url("gone", ""), server.url("good", ""))
    given = vars(downloads.MNIST) | {"files": files, "mirrors": mirrors}
    monkeypatch.setattr(downloads, "MNIST", downloads._Collection(**given))
    return arrays


def test_mnist_comes_only_when_asked_for(server, small_mnist, tmp_path, monkeypatch):
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"data\.mnist\(download=True\) to fetch it"):
        downloads.mnist()
    assert server.asked == []
    train, test = downloads.mnist(download=True)
    again, _ = downloads.mnist()
    assert train.images.shape == (6, 2, 3)
    assert np.array_equal((train.images * 255).round().numpy(), small_mnist[0])
    assert train.y.tolist() == again.y.tolist() == small_mnist[1].tolist()
    assert test.y.tolist() == small_mnist[3].tolist()
    assert (tmp_path / "mnist" / downloads.NAMES[0]).is_file()


def test_a_damaged_file_is_named(small_mnist, tmp_path):
    downloads.mnist(tmp_path, download=True)
    (tmp_path / downloads.NAMES[1]).write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte.gz is damaged: delete it"):
        downloads.mnist(tmp_path)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\0\0\x0d\3" + bytes(20), "no IDX file of bytes"),
        (struct.pack(">HBBI", 0, 8, 1, 9) + b"12", "announces"),
    ],
)
def test_files_that_are_no_idx(raw, message, tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(raw))
    with pytest.raises(ValueError, match=message):
        downloads._read_idx(path)


def test_the_published_checksums_have_their_form():
    for collection in (downloads.MNIST, downloads.FASHION):
        assert len(collection.mirrors) >= 2
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in collection.files)
        assert len({file.sha256 for file in collection.files}) == 4
        assert len(collection.class_names) == 10
