"""A faulty download server, with the real script and the workflow."""

import gzip
import hashlib
import json
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.workflow.conftest import snakemake

TARGET = "results/smoke/data/mnist.npz"
IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def idx(array: np.ndarray) -> bytes:
    """The IDX format: a magic number with the rank, the sizes, the bytes."""
    head = struct.pack(f">{1 + array.ndim}I", 2048 + array.ndim, *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes(), mtime=0)


def drawn(seed: int) -> dict[str, bytes]:
    """A test set in MNIST's format."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (200, 28, 28), dtype=np.uint8)
    return {IMAGES: idx(images), LABELS: idx((np.arange(200) + seed) % 10)}


FILES, OTHERS = drawn(0), drawn(1)


class Server:
    """Serves the files at 127.0.0.1; faults apply to the first requests."""

    def __init__(self, port: int, files: dict[str, bytes]) -> None:
        self.address, self.files = f"http://127.0.0.1:{port}", files
        self.faults, self.asked, self.released = [], [], threading.Event()
        self.pause = 0.0

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.rsplit("/", 1)[-1]
        start = int(handler.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        self.asked.append((name, start))
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            handler.send_error(fault)
            return
        time.sleep(self.pause)
        data = self.files[name]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        if fault is None:
            handler.wfile.write(data[start:])
            return
        handler.wfile.write(data[start : len(data) // 2])
        handler.wfile.flush()
        if fault == "stall":
            self.released.wait(60)


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.answer(self)

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    served = Server(http.server_port, FILES)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield served
    served.released.set()
    http.shutdown()
    http.server_close()
    thread.join(5)


@pytest.fixture
def folder(project: Path, server: Server, monkeypatch) -> Path:
    """A copy of the project with these files as MNIST and the server as the only address."""
    known = [(name, hashlib.md5(data).hexdigest()) for name, data in FILES.items()]
    with open(project / "workflow/oodpriors/data/_torchvision.py", "a") as file:
        file.write(f"\ndatasets.MNIST.mirrors = ['{server.address}/']\n")
        file.write(f"datasets.MNIST.resources = {known}\n")
    module = project / "workflow/oodpriors/data/fetching.py"
    text = module.read_text()
    assert "TIMEOUT = 30.0" in text
    module.write_text(text.replace("TIMEOUT = 30.0", "TIMEOUT = 1.0"))
    monkeypatch.setenv("no_proxy", "*")
    return project


def download(folder: Path, mirror: Path | None = None, run: str = "smoke") -> tuple[int, str]:
    """Run the script of rule download; returns its exit status and its log."""
    source = {"kind": "mnist", "stands_for": None}
    arrays, log = folder / f"results/{run}/data/mnist.npz", folder / f"{run}.log"
    told = {
        "input": {},
        "output": {
            "arrays": str(arrays),
            "provenance": str(arrays.with_suffix(".provenance.json")),
        },
        "params": {
            "source": source,
            "required": True,
            "cache": str(folder / "resources/mnist"),
        },
        "wildcards": {"dataset": "mnist"},
        "config": {
            "mirror": mirror and str(mirror),
            "datasets": {"mnist": {"system_folder": None, "path": None, "shape": None}},
        },
        "log": str(log),
    }
    (folder / f"{run}.json").write_text(json.dumps(told))
    runner = Path(__file__).with_name("run_script.py")
    script = folder / "workflow/scripts/download.py"
    done = subprocess.run([sys.executable, runner, script, folder / f"{run}.json"])
    return done.returncode, log.read_text()


def downloaded(folder: Path, mirror: Path | None = None) -> None:
    """Download and check the result."""
    status, log = download(folder, mirror)
    assert status == 0, log
    with np.load(folder / TARGET) as arrays:
        assert arrays["images"].shape == (200, 28, 28)
        assert arrays["images"].tobytes() == gzip.decompress(FILES[IMAGES])[16:]
    assert_clean(folder)


def assert_clean(folder: Path) -> None:
    """Only parts of downloads remain, from which a download can continue."""
    for place in ("results", "resources"):
        hidden = {path.name for path in (folder / place).rglob(".*")}
        assert hidden <= {".snakemake_timestamp"}
    for path in (folder / "resources").rglob("*.gz"):
        assert path.read_bytes() == FILES[path.name]


@pytest.mark.parametrize("fault", ["stall", "cut"])
def test_a_download_that_breaks_off_goes_on_where_it_was(folder: Path, server: Server, fault: str):
    server.faults = [fault]
    downloaded(folder)
    half = len(FILES[IMAGES]) // 2
    assert server.asked == [(IMAGES, 0), (IMAGES, half), (LABELS, 0)]


def test_a_server_that_fails_now_and_then_is_asked_again(folder: Path, server: Server):
    server.faults = [500, 503]
    downloaded(folder)
    assert [name for name, _ in server.asked] == [IMAGES] * 3 + [LABELS]


FATAL = {
    "404": ([404], "HTTP Error 404"),
    "500": ([500] * 3, "HTTP Error 500"),
    "cut": (["cut"] + [500] * 2, "HTTP Error 500"),
    "stall": (["stall"] * 3, "timed out"),
}


@pytest.mark.parametrize("fault", FATAL)
def test_a_server_without_the_file_is_told_and_what_came_is_kept(
    folder: Path, server: Server, fault: str
):
    server.faults, message = list(FATAL[fault][0]), FATAL[fault][1]
    status, log = download(folder)
    assert status == 1
    told = log.split("error: could not get ")[1]
    assert told.startswith(f"{IMAGES} (md5 {hashlib.md5(FILES[IMAGES]).hexdigest()}):")
    assert f"{server.address}/{IMAGES}" in told
    assert message in told
    assert "Either run again when the address answers" in told
    assert "Traceback" not in told
    assert not (folder / TARGET).exists()
    assert_clean(folder)

    server.asked.clear()
    downloaded(folder)
    came = len(FILES[IMAGES]) // 2 if fault in ("cut", "stall") else 0
    assert server.asked == [(IMAGES, came), (LABELS, 0)]


def test_a_mirror_that_serves_other_bytes_is_passed_over(folder: Path, server: Server):
    mirror = folder / "mirror"
    mirror.mkdir()
    for name, data in OTHERS.items():
        (mirror / name).write_bytes(data)
    downloaded(folder, mirror)
    assert [name for name, _ in server.asked] == [IMAGES, LABELS]


def test_other_bytes_everywhere_are_refused_with_both_checksums(folder: Path, server: Server):
    server.files = OTHERS
    status, log = download(folder)
    assert status == 1
    theirs, ours = (hashlib.md5(files[IMAGES]).hexdigest() for files in (OTHERS, FILES))
    assert f"wrong checksum: md5 {theirs} of {len(OTHERS[IMAGES])} bytes" in log
    assert f"expected {ours}" in log
    assert not (folder / TARGET).exists()
    assert not list((folder / "resources").rglob("t10k*"))
    server.files = FILES
    downloaded(folder)


def test_a_page_instead_of_the_file_is_refused(folder: Path, server: Server):
    server.files = dict.fromkeys(FILES, b"<html>Please log in.</html>")
    status, log = download(folder)
    assert status == 1
    assert "wrong checksum" in log
    assert not (folder / TARGET).exists()


def test_what_was_downloaded_is_not_downloaded_again(folder: Path, server: Server):
    downloaded(folder)
    asked = list(server.asked)
    (folder / TARGET).unlink()
    downloaded(folder)
    assert server.asked == asked


def test_a_server_without_the_file_ends_the_workflow_and_redoes_nothing(
    folder: Path, server: Server
):
    """Results that need no download are made and kept."""
    made = {
        "datasets": {"drawn": {"kind": "embedded", "stands_for": "mnist"}},
        "subsets": {"drawn": {"title": "drawn", "dataset": "drawn"}},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(made))
    options = ("--configfile", "mine.yaml", "--config", "scale=smoke")
    targets = ("results/smoke/data/mnist/test.npz", "results/smoke/data/drawn/test.npz")
    server.faults = [404] * 9
    failed = snakemake(folder, *options, "--", *targets, check=False)
    assert failed.returncode != 0
    assert "error: could not get t10k-images-idx3-ubyte.gz" in failed.stdout
    assert "Traceback" not in failed.stdout
    assert not (folder / "results/smoke/data/mnist.npz").exists()
    before = (folder / targets[1]).stat()

    server.faults.clear()
    done = snakemake(folder, *options, "--", *targets)
    assert done.stdout.count("rule download:") == 1
    after = (folder / targets[1]).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (folder / targets[0]).stat().st_size > 0


def test_two_downloads_of_one_file_share_it(folder: Path, server: Server):
    """Like two runs with different names, which share the folder of downloads."""
    server.pause = 0.5  # both have started before one has the whole file
    with ThreadPoolExecutor(2) as pool:
        both = pool.map(lambda name: download(folder, run=name), ("first", "second"))
        logs = [log for status, log in both if status == 0]
    assert len(logs) == 2
    assert server.asked == [(IMAGES, 0), (LABELS, 0)]
    assert_clean(folder)
