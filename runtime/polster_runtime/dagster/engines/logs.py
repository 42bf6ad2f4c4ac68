"""What steps on workers print, kept in the project's storage, where Dagster's UI reads it.

A worker runs several steps in threads of one process, so each thread's words are told apart as they
are written; Dagster's own classes redirect the output of the whole process. That is so where
`dagster.yaml` names WorkerLogs as its compute_logs; else nothing is kept.
"""

import io
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING, Any

from polster_runtime.config.logging import log
from polster_runtime.config.paths import dagster_home
from polster_runtime.dagster import private
from polster_runtime.storage.registry import store

UPLOAD_SECONDS = 5.0
"""How often what a step has printed so far is sent to the storage."""
LONGEST = 5_000_000
"""Bytes that are kept of each of the two streams of a step."""
CUT = b"\n[the rest is on the terminal of the worker]\n"
FOLDER = "_logs"
ENDINGS = {"stdout": "out", "stderr": "err"}
DONE = "done"

if TYPE_CHECKING:
    from dagster._core.storage.compute_log_manager import ComputeLogManager
    from dagster._serdes import ConfigurableClass
else:
    ComputeLogManager = private.find(private.COMPUTE_LOGS) or object
    ConfigurableClass = private.find(private.CONFIGURABLE) or object


def are_kept() -> bool:
    """Whether the `dagster.yaml` of this process names this module."""
    file = dagster_home() / "dagster.yaml"
    return file.exists() and __name__ in file.read_text("utf-8")


class WorkerLogs(ComputeLogManager, ConfigurableClass):
    """Keeps what steps print beside the data, in `_logs/RUN`."""

    def __init__(self, inst_data: Any = None) -> None:
        self._inst_data = inst_data
        polling: Any = private.find(private.POLLING_LOGS)
        self._subscribers = polling(self)

    @property
    def inst_data(self) -> Any:
        """What Dagster makes another of."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options: the storage is that of the project."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> "WorkerLogs":
        """What Dagster uses."""
        return cls(inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[Any]:
        """Keep what is printed in the block, in this thread and in those with its context."""
        context: Any = private.find(private.LOG_CONTEXT)
        output, ended = _Output(), threading.Event()

        def send_now_and_then() -> None:
            while not ended.wait(UPLOAD_SECONDS):
                self._send(log_key, output)

        listen()
        threading.Thread(target=send_now_and_then, name="logs", daemon=True).start()
        token = _own.set(output)
        try:
            yield context(log_key)
        finally:
            _own.reset(token)
            ended.set()
            self._send(log_key, output, done=True)

    def _send(self, log_key: Sequence[str], output: "_Output", *, done: bool = False) -> None:
        try:
            with output.sending:  # else what is sent now and then might come after the last
                for name, data in output.news().items():
                    _write(_path(log_key, ENDINGS[name]), data)
                if done:
                    _write(_path(log_key, DONE), b"1")
        except Exception as error:  # whatever the storage raises: no step fails because of it
            log.warning("what a step prints is not kept", extra={"details": {"error": error}})

    @contextmanager
    def open_log_stream(self, log_key: Sequence[str], io_type: Any) -> Iterator[IO[bytes] | None]:
        """A stream whose content is kept at its end."""
        stream = io.BytesIO()
        yield stream
        _write(_path(log_key, ENDINGS[io_type.value]), stream.getvalue())

    def is_capture_complete(self, log_key: Sequence[str]) -> bool:
        """Whether nothing more comes."""
        return _read(_path(log_key, DONE)) is not None

    def get_log_data_for_type(
        self, log_key: Sequence[str], io_type: Any, offset: int, max_bytes: int | None
    ) -> tuple[bytes | None, int]:
        """What was printed from an offset on, and the next offset."""
        data = _read(_path(log_key, ENDINGS[io_type.value]))
        if data is None:
            return None, offset
        found = data[offset : None if max_bytes is None else offset + max_bytes]
        return found, offset + len(found)

    def get_log_metadata(self, log_key: Sequence[str]) -> Any:
        """Where it is."""
        kind: Any = private.find(private.LOG_METADATA)
        places = (_path(log_key, end) for end in ENDINGS.values())
        return kind(**dict(zip(("stdout_location", "stderr_location"), places, strict=True)))

    def delete_logs(
        self, log_key: Sequence[str] | None = None, prefix: Sequence[str] | None = None
    ) -> None:
        """Delete what a step, or all of a run, has printed."""
        files = store().fs
        with suppress(FileNotFoundError):
            if prefix:
                files.rm(_path(prefix), recursive=True)
        for ending in (*ENDINGS.values(), DONE) if log_key else ():
            with suppress(FileNotFoundError):
                files.rm_file(_path(log_key or (), ending))

    def subscribe(self, log_key: Sequence[str], cursor: str | None = None) -> Any:
        """Follow what a step prints."""
        kind: Any = private.find(private.LOG_SUBSCRIPTION)
        found = kind(self, log_key, cursor)
        self._subscribers.add_subscription(found)
        return found

    def unsubscribe(self, subscription: Any) -> None:
        """Follow it no more."""
        self._subscribers.remove_subscription(subscription)

    def dispose(self) -> None:
        """Follow nothing more."""
        self._subscribers.dispose()


class _Output:
    """What a step has printed so far."""

    def __init__(self) -> None:
        self.sending = threading.Lock()
        self._lock = threading.Lock()
        self._data = {name: bytearray() for name in ENDINGS}
        self._sent = dict.fromkeys(ENDINGS, 0)

    def add(self, name: str, text: str) -> None:
        with self._lock:
            data = self._data[name]
            if len(data) < LONGEST:
                data += text.encode("utf-8", "replace")
                data[LONGEST:] = CUT if len(data) > LONGEST else b""

    def news(self) -> dict[str, bytes]:
        """The whole of each stream that has grown since the last time."""
        with self._lock:
            found = {
                name: bytes(data)
                for name, data in self._data.items()
                if len(data) > self._sent[name]
            }
            self._sent |= {name: len(data) for name, data in found.items()}
        return found


_own: ContextVar[_Output | None] = ContextVar("output", default=None)


class _Split:
    """A stream of the process, of which the step that writes to it has a copy."""

    def __init__(self, name: str) -> None:
        self._name, self._stream = name, getattr(sys, name)

    def write(self, text: str) -> int:
        if (output := _own.get()) is not None:
            output.add(self._name, text)
        return int(self._stream.write(text))

    def writelines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def listen() -> None:
    """Let what this process prints be kept; what has taken the streams before is not heard."""
    for name in ENDINGS:
        if not isinstance(getattr(sys, name), _Split):
            setattr(sys, name, _Split(name))


def _path(log_key: Sequence[str], ending: str = "") -> str:
    place = "/".join((store().root, FOLDER, *log_key))
    return f"{place}.{ending}" if ending else place


def _write(path: str, data: bytes) -> None:
    files = store().fs
    files.makedirs(path.rpartition("/")[0], exist_ok=True)
    files.pipe_file(path, data)


def _read(path: str) -> bytes | None:
    try:
        return bytes(store().fs.cat_file(path))
    except FileNotFoundError:
        return None
