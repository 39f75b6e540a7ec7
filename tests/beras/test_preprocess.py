"""MNIST arrives whole or not at all: a local HTTP server plays every way in which a download fails."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import beras.preprocess
from beras.core import Tensor
from beras.preprocess import DataError, cached_mnist, download, load_and_preprocess_data, read_mnist

BODY = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()
Answer = Callable[[BaseHTTPRequestHandler], None]


def whole(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(BODY)))
    request.end_headers()
    request.wfile.write(BODY)


def without_length(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(BODY)


def truncated(request: BaseHTTPRequestHandler) -> None:
    """Announces the shorter length itself, so that only the checksum can tell."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(BODY) // 2))
    request.end_headers()
    request.wfile.write(BODY[: len(BODY) // 2])


def interrupted(request: BaseHTTPRequestHandler) -> None:
    """Announces everything and hangs up half-way."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(BODY)))
    request.end_headers()
    request.wfile.write(BODY[: len(BODY) // 2])


def another_file(request: BaseHTTPRequestHandler) -> None:
    body = b"x" + BODY[1:]
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def server_error(request: BaseHTTPRequestHandler) -> None:
    request.send_error(503, "Service Unavailable")


def nonsense(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"this is not HTTP\r\n\r\n")


class Server:
    def __init__(self) -> None:
        self.answer: Answer = whole
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Keep the test's output clean."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/mnist.npz"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.mark.parametrize("answer", [whole, without_length])
def test_a_good_file_becomes_the_cache(server: Server, tmp_path: Path, answer: Answer) -> None:
    server.answer = answer
    path = cached_mnist(server.url, SHA256, tmp_path / "new folder")
    assert path.read_bytes() == BODY
    assert [p.name for p in path.parent.iterdir()] == ["mnist.npz"]


def test_the_cache_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        cached_mnist(server.url, SHA256, tmp_path)
    assert server.requests == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (truncated, "sha256"),
        (another_file, "sha256"),
        (interrupted, f"ended after {len(BODY) // 2} of {len(BODY)} bytes"),
        (server_error, "503"),
        (nonsense, "this is not HTTP"),
    ],
)
def test_a_bad_file_never_becomes_the_cache(server: Server, tmp_path: Path, answer: Answer, said: str) -> None:
    server.answer = answer
    with pytest.raises(DataError) as caught:
        cached_mnist(server.url, SHA256, tmp_path)
    message = str(caught.value)
    assert said in message
    assert "set BERAS_MNIST" in message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_can_be_tried_again(server: Server, tmp_path: Path) -> None:
    server.answer = interrupted
    with pytest.raises(DataError):
        cached_mnist(server.url, SHA256, tmp_path)
    server.answer = whole
    assert cached_mnist(server.url, SHA256, tmp_path).read_bytes() == BODY


def test_ctrl_c_in_a_download_leaves_nothing(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(beras.preprocess.Progress, "update", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        cached_mnist(server.url, SHA256, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_cache_is_downloaded_again(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mnist.npz").write_bytes(BODY[:1000])
    assert cached_mnist(server.url, SHA256, tmp_path).read_bytes() == BODY
    assert "damaged" in capsys.readouterr().err


def test_a_failed_download_keeps_the_file_that_was_there(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "mnist.npz"
    target.write_bytes(b"older")
    server.answer = interrupted
    with pytest.raises(ValueError, match="ended after"):
        download(server.url, target, SHA256)
    assert target.read_bytes() == b"older"


def test_the_bar_says_what_is_downloaded(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cached_mnist(server.url, SHA256, tmp_path)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"Downloading {server.url} 0.3 MB in ")


def test_an_unreachable_server_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^cannot download MNIST from .*refused.*set BERAS_MNIST"):
        cached_mnist("http://127.0.0.1:9/mnist.npz", SHA256, tmp_path)


def mnist_like(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays of MNIST's shapes; the zeros compress to next to nothing."""
    arrays = {name: np.zeros(shape, np.uint8) for name, shape in beras.preprocess.MNIST_SHAPES.items()}
    return arrays | changes


def saved(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return path


def test_images_become_rows_between_0_and_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = mnist_like()
    arrays["x_train"][1, 2, 3] = 255
    arrays["x_train"][1, 2, 4] = 51
    arrays["y_train"][:] = np.arange(60000) % 10
    monkeypatch.setenv("BERAS_MNIST", str(saved(tmp_path / "digits.npz", arrays)))
    x_train, y_train, x_test, y_test = load_and_preprocess_data()
    assert all(isinstance(array, Tensor) for array in (x_train, y_train, x_test, y_test))
    assert [a.shape for a in (x_train, y_train, x_test, y_test)] == [(60000, 784), (60000,), (10000, 784), (10000,)]
    assert x_train.dtype == x_test.dtype == np.float32
    assert x_train[1, 2 * 28 + 3] == 1
    assert x_train[1, 2 * 28 + 4] == np.float32(0.2)
    assert np.count_nonzero(x_train) == 2
    np.testing.assert_array_equal(y_train, arrays["y_train"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"x_train": np.zeros((60000, 784), np.uint8)}, r"x_train as uint8 \(60000, 28, 28\), but it is uint8"),
        ({"y_test": np.zeros(10000, np.int64)}, r"y_test as uint8 \(10000,\), but it is int64"),
        ({"y_train": np.full(60000, 10, np.uint8)}, "digits 0 to 9 in y_train, but it holds 10"),
    ],
)
def test_a_file_with_other_arrays_is_refused(tmp_path: Path, changes: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_mnist(saved(tmp_path / "other.npz", mnist_like(**changes)))


def test_missing_arrays_are_named(tmp_path: Path) -> None:
    arrays = mnist_like()
    del arrays["x_test"], arrays["y_test"]
    with pytest.raises(DataError, match="has no x_test, y_test"):
        read_mnist(saved(tmp_path / "half.npz", arrays))


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (os._exit, (77,))

    path = tmp_path / "bomb.npz"
    arrays = {**mnist_like(), "x_train": np.array([Bomb()], dtype=object)}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="cannot be read"):
        read_mnist(path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half an archive"])
def test_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_mnist(path)
    assert "\n" not in str(caught.value)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    path = tmp_path / "mnist.npz"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(DataError, match="single array"):
        read_mnist(path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "mnist.npz", mnist_like())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="cannot be read"):
        read_mnist(path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file .*nowhere\.npz"):
        load_and_preprocess_data(tmp_path / "nowhere.npz")


def test_without_data_and_network_the_assignment_says_what_to_do(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    environment.pop("BERAS_MNIST", None)
    # A proxy that nobody listens at: the network is away, whatever the machine has.
    environment |= {"XDG_CACHE_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9", "PYTHONPATH": os.getcwd()}
    run = subprocess.run(
        [sys.executable, "-m", "beras.assignment"],
        capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert "set BERAS_MNIST to a copy of Keras' mnist.npz" in run.stderr
    assert not (tmp_path / "predictions.npy").exists()


@pytest.mark.skipif("BERAS_MNIST" not in os.environ, reason="needs the real MNIST: set BERAS_MNIST")
def test_the_real_digits_are_the_published_ones() -> None:
    path = Path(os.environ["BERAS_MNIST"])
    digests = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in read_mnist(path).items()}
    assert digests == {
        "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    }
