"""Fetched files are correct or missing, for any behaviour of a source."""

import errno
import gzip
import hashlib
import io
import re
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from oodpriors.data import fetching
from oodpriors.data.fetching import DownloadError, RemoteFile, fetch

DATA = np.random.default_rng(0).bytes(5000)
HALF = 2000
WRONG = DATA[::-1]
PAGE = b"<html><body>Sorry, this address has moved.</body></html>"
CONTENT = b"sixteen pixels! " * 400


def md5(data):
    return hashlib.md5(data).hexdigest()


def remote(*urls, data=DATA, **more):
    return RemoteFile("images.bin", urls, md5(data), **more)


def names(folder):
    """Files in a folder, except the notes on their sources."""
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    return [name for name in names if not name.endswith(".origin")]


def whole(data):
    """Sends the whole file, or the rest from the requested position."""

    def answer(handler):
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        handler.send_response(206 if asked else 200)
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        handler.wfile.write(data[start:])

    return answer


def without_ranges(data):
    """Sends the whole file for every request."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def dropped(data, sent):
    """Announces the whole file and closes the connection after half of it."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:sent])

    return answer


def status(code):
    def answer(handler):
        handler.send_response(code)
        handler.end_headers()

    return answer


class Server:
    """Answers of 127.0.0.1 in this order (the last one repeats), and the requests."""

    def __init__(self, http):
        self.http, self.answers, self.asked = http, [status(404)], []
        self.base = f"http://127.0.0.1:{http.server_port}/data"
        self.address = f"{self.base}/images.bin"

    def gives(self, *answers):
        self.answers = list(answers)
        return self.base

    def next_answer(self, handler):
        self.asked.append(handler.headers.get("Range"))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def running():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.next_answer(self)(self)

        def log_message(self, *arguments):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(http)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join(5)


@pytest.fixture
def server():
    with running() as one:
        yield one


@pytest.fixture
def second():
    with running() as one:
        yield one


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Pauses between attempts; they are only noted."""
    made = []
    monkeypatch.setattr(fetching.time, "sleep", made.append)
    monkeypatch.setattr(fetching, "TIMEOUT", 5.0)
    monkeypatch.setenv("no_proxy", "*")
    return made


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def mirror(tmp_path, data=DATA, name="mirror"):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "images.bin").write_bytes(data)
    return str(folder)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as used:
        return used.getsockname()[1]


# sources of files


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}"])
def test_a_folder_is_a_source(tmp_path, cache, form):
    folder = mirror(tmp_path)
    path, origin = fetch(remote(), [form.format(folder)], cache)
    assert (path, path.read_bytes()) == (cache / "images.bin", DATA)
    assert origin == f"{form.format(folder).rstrip('/')}/images.bin"


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_base_url_is_a_source(server, cache, slash):
    path, origin = fetch(remote(), [server.gives(whole(DATA)) + slash], cache)
    assert (path.read_bytes(), origin) == (DATA, server.address)
    assert server.asked == [None]


def test_the_official_address_is_asked_as_it_stands(server, cache):
    server.gives(whole(DATA))
    path, origin = fetch(remote(server.address), [], cache)
    assert (path.read_bytes(), origin) == (DATA, server.address)


def test_sources_come_before_official_addresses(tmp_path, server, cache):
    server.gives(whole(DATA))
    folder = mirror(tmp_path)
    assert fetch(remote(server.address), [folder], cache)[1] == f"{folder}/images.bin"
    assert server.asked == []


def test_the_second_official_address_stands_in_for_the_first(server, second, cache):
    server.gives(status(404))
    second.gives(whole(DATA))
    assert fetch(remote(server.address, second.address), [], cache)[1] == second.address
    assert (server.asked, second.asked) == ([None], [None])


def test_the_cache_needs_no_source(server, cache):
    cache.mkdir()
    (cache / "images.bin").write_bytes(DATA)
    path, origin = fetch(remote(server.address), [server.base], cache)
    assert (path.read_bytes(), origin, server.asked) == (DATA, "cache", [])


def test_a_second_fetch_asks_nobody(server, cache):
    base = server.gives(whole(DATA))
    fetch(remote(), [base], cache)
    assert fetch(remote(), [base], cache)[1] == f"{base}/images.bin"
    assert len(server.asked) == 1


def test_wrong_bytes_in_the_cache_are_replaced(tmp_path, cache):
    cache.mkdir()
    (cache / "images.bin").write_bytes(WRONG)
    assert fetch(remote(), [mirror(tmp_path)], cache)[0].read_bytes() == DATA


# which files are accepted


def test_a_gz_that_was_compressed_again_is_right_by_its_content(tmp_path, cache):
    official, again = gzip.compress(CONTENT, 9, mtime=1), gzip.compress(CONTENT, 1, mtime=2)
    assert official != again
    file = remote(data=official, content_sha256=hashlib.sha256(CONTENT).hexdigest())
    assert fetch(file, [mirror(tmp_path, again)], cache)[0].read_bytes() == again


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(CONTENT[:-1]),
        gzip.compress(CONTENT)[:-20],
        CONTENT,
        b"",
    ],
    ids=["other content", "cut", "no gz", "empty"],
)
def test_a_gz_with_another_content_is_refused(tmp_path, cache, data):
    file = remote(data=b"official", content_sha256=hashlib.sha256(CONTENT).hexdigest())
    with pytest.raises(DownloadError, match="wrong checksum"):
        fetch(file, [mirror(tmp_path, data)], cache)
    assert names(cache) == []


def test_without_a_known_content_only_the_md5_counts(tmp_path, cache):
    file = remote(data=gzip.compress(CONTENT, 9, mtime=1))
    with pytest.raises(DownloadError, match="wrong checksum"):
        fetch(file, [mirror(tmp_path, gzip.compress(CONTENT, 1, mtime=2))], cache)


def test_wrong_bytes_in_a_folder_lead_to_the_next_source(tmp_path, cache):
    bad, good = mirror(tmp_path, WRONG, "bad"), mirror(tmp_path, DATA, "good")
    path, origin = fetch(remote(), [bad, good], cache)
    assert (path.read_bytes(), origin) == (DATA, f"{good}/images.bin")


@pytest.mark.parametrize("data", [WRONG, PAGE, b""], ids=["wrong", "error page", "nothing"])
def test_wrong_bytes_from_a_server_lead_to_the_next_source(server, second, cache, data):
    sources = [server.gives(whole(data)), second.gives(whole(DATA))]
    path, origin = fetch(remote(), sources, cache)
    assert (path.read_bytes(), origin) == (DATA, second.address)
    assert second.asked == [None]
    assert names(cache) == ["images.bin"]


@pytest.mark.parametrize("data", [WRONG, PAGE], ids=["wrong", "error page"])
def test_wrong_bytes_are_never_kept(tmp_path, server, cache, data):
    sources = [mirror(tmp_path, data), server.gives(whole(data))]
    message = f"wrong checksum: md5 {md5(data)} of {len(data)} bytes, expected {md5(DATA)}"
    with pytest.raises(DownloadError, match=re.escape(message)):
        fetch(remote(), sources, cache)
    assert names(cache) == []


def test_a_wrong_download_is_not_tried_again(server, cache):
    with pytest.raises(DownloadError, match="wrong checksum"):
        fetch(remote(), [server.gives(whole(WRONG))], cache)
    assert server.asked == [None]


# downloads that stop


def test_a_cut_download_goes_on_where_it_stopped(server, cache):
    base = server.gives(dropped(DATA, HALF), whole(DATA))
    assert fetch(remote(), [base], cache)[0].read_bytes() == DATA
    assert server.asked == [None, f"bytes={HALF}-"]
    assert names(cache) == ["images.bin"]


def test_a_server_without_ranges_sends_all_again(server, cache):
    base = server.gives(dropped(DATA, HALF), without_ranges(DATA))
    assert fetch(remote(), [base], cache)[0].read_bytes() == DATA
    assert server.asked == [None, f"bytes={HALF}-"]


def test_only_a_part_to_go_on_from_is_left(server, cache, monkeypatch):
    monkeypatch.setattr(fetching, "TRIES", 1)
    with pytest.raises(DownloadError, match=f"ended {len(DATA) - HALF} bytes too early"):
        fetch(remote(), [server.gives(dropped(DATA, HALF))], cache)
    assert names(cache) == ["images.bin.part"]
    assert (cache / "images.bin.part").read_bytes() == DATA[:HALF]


def test_the_next_run_goes_on_where_the_last_one_stopped(server, cache):
    cache.mkdir()
    (cache / "images.bin.part").write_bytes(DATA[:HALF])
    assert fetch(remote(), [server.gives(whole(DATA))], cache)[0].read_bytes() == DATA
    assert server.asked == [f"bytes={HALF}-"]
    assert names(cache) == ["images.bin"]


def test_a_part_that_is_complete_is_the_file(server, cache):
    cache.mkdir()
    (cache / "images.bin.part").write_bytes(DATA)
    assert fetch(remote(), [server.gives(status(416))], cache)[0].read_bytes() == DATA


def test_a_part_of_something_else_is_thrown_away(server, cache):
    cache.mkdir()
    (cache / "images.bin.part").write_bytes(WRONG[:HALF])
    base = server.gives(without_ranges(DATA))
    assert fetch(remote(), [base], cache)[0].read_bytes() == DATA


def test_a_silent_server_is_given_up(server, cache, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 0.1)
    monkeypatch.setattr(fetching, "TRIES", 2)
    end = threading.Event()
    server.gives(lambda handler: end.wait(5))
    with pytest.raises(DownloadError, match="timed out"):
        fetch(remote(), [server.base], cache)
    end.set()
    assert len(server.asked) == 2


# addresses that do not answer


def test_what_a_server_refuses_is_not_asked_again(server, cache, pauses):
    with pytest.raises(DownloadError, match="HTTP Error 404"):
        fetch(remote(), [server.gives(status(404))], cache)
    assert (server.asked, pauses) == ([None], [])


@pytest.mark.parametrize("code", [500, 503])
def test_a_broken_server_is_asked_again_ever_later(server, cache, pauses, code):
    with pytest.raises(DownloadError, match=f"HTTP Error {code}"):
        fetch(remote(), [server.gives(status(code))], cache)
    assert (server.asked, pauses) == ([None] * 3, [1.0, 2.0])


def test_a_server_that_recovers_gives_the_file(server, cache):
    base = server.gives(status(500), status(503), whole(DATA))
    assert fetch(remote(), [base], cache)[0].read_bytes() == DATA


def test_a_closed_port_is_reported(cache):
    with pytest.raises(DownloadError, match="Connection refused"):
        fetch(remote(f"http://127.0.0.1:{free_port()}/images.bin"), [], cache)


def test_a_folder_without_the_file_is_reported(tmp_path, cache):
    with pytest.raises(DownloadError, match=f"{tmp_path}/images.bin: no such file"):
        fetch(remote(), [str(tmp_path)], cache)


def test_the_error_lists_every_source_in_its_order(tmp_path, server, second, cache):
    server.gives(status(404))
    second.gives(whole(PAGE))
    folder = mirror(tmp_path, WRONG)
    with pytest.raises(DownloadError, match=r"^could not get images\.bin") as caught:
        fetch(remote(second.address), [folder, server.base], cache)
    lines = [line for line in str(caught.value).splitlines() if line.startswith("  ")]
    for line, address in zip(
        lines, [f"{folder}/images.bin", server.address, second.address], strict=True
    ):
        assert line.startswith(f"  {address}: ")


def test_the_error_names_three_ways_out(cache):
    with pytest.raises(DownloadError, match="Either run again") as caught:
        fetch(remote(), ["nowhere"], cache)
    message = str(caught.value)
    assert md5(DATA) in message
    for way in ("run again", "--config mirror=FOLDER", f"copy the file to {cache / 'images.bin'}"):
        assert way in message


# a full disk


class FullDisk(io.BytesIO):
    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_stops_a_download_at_once(server, second, cache, monkeypatch):
    monkeypatch.setattr(fetching, "open", lambda *arguments: FullDisk(), raising=False)
    sources = [server.gives(whole(DATA)), second.gives(whole(DATA))]
    with pytest.raises(OSError, match="No space left") as caught:
        fetch(remote(), sources, cache)
    assert caught.value.errno == errno.ENOSPC
    assert (len(server.asked), second.asked) == (1, [])


def test_a_full_disk_stops_a_copy_at_once(tmp_path, cache, monkeypatch):
    def copyfile(source, target):
        target.write_bytes(DATA[:HALF])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching.shutil, "copyfile", copyfile)
    with pytest.raises(OSError, match="no space left to write"):
        fetch(remote(), [mirror(tmp_path)], cache)
    assert names(cache) == []


def test_a_part_of_a_wrong_file_does_not_spoil_the_next_source(server, second, cache):
    sources = [server.gives(dropped(WRONG, HALF)), second.gives(whole(DATA))]
    # the first source always closes early: three attempts, each resumed one also fails
    assert fetch(remote(), sources, cache)[0].read_bytes() == DATA


def test_an_old_part_of_something_else_is_thrown_away(server, cache):
    cache.mkdir()
    (cache / "images.bin.part").write_bytes(WRONG[:HALF])
    assert fetch(remote(), [server.gives(whole(DATA))], cache)[0].read_bytes() == DATA


def test_an_address_with_a_blank_is_reported(tmp_path, cache):
    sources = ["http://127.0.0.1:1/my data", mirror(tmp_path)]
    assert fetch(remote(), sources, cache)[0].read_bytes() == DATA


def test_a_server_that_speaks_no_http_is_reported(server, second, cache):
    server.gives(lambda handler: handler.wfile.write(b"hello\r\n\r\n"))
    assert fetch(remote(), [server.base, second.gives(whole(DATA))], cache)[0].read_bytes() == DATA
