"""`.polster/base.zip`, and who owns a file."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polster_core.errors import PolsterError
from polster_core.model.ownership import Owner, owner_of
from polster_core.project.base import OLD_FOLDER, PATH, base_file, pack_base, read_base
from polster_core.testing.projects import tree

README, DEFINITIONS = PurePosixPath("README.md"), PurePosixPath("src/orchestration/definitions.py")
TEXTS = {README: "Grüße\r\n".encode(), DEFINITIONS: b"defs = 1\n", PurePosixPath("a"): b""}


def put(root: Path, content: bytes) -> None:
    (root / PATH).parent.mkdir(parents=True, exist_ok=True)
    (root / PATH).write_bytes(content)


def test_what_is_packed_is_read(tmp_path: Path) -> None:
    put(tmp_path, pack_base(TEXTS))
    assert read_base(tmp_path) == TEXTS


@given(st.dictionaries(st.from_regex(r"[a-z]+(/[a-z]+){0,2}\.py", fullmatch=True), st.binary()))
def test_equal_texts_make_equal_bytes(found: dict[str, bytes]) -> None:
    texts = {PurePosixPath(path): text for path, text in found.items()}
    assert pack_base(texts) == pack_base(dict(reversed(texts.items())))


def test_an_archive_compressed_by_another_library_stays(tmp_path: Path) -> None:
    put(tmp_path, b"")
    with zipfile.ZipFile(tmp_path / PATH, "w", zipfile.ZIP_STORED) as archive:
        for path, text in TEXTS.items():
            archive.writestr(str(path), text)
    before = (tmp_path / PATH).read_bytes()

    assert base_file(tmp_path, TEXTS).content == before != pack_base(TEXTS)
    assert base_file(tmp_path, {README: b"new"}).content == pack_base({README: b"new"})


def test_reads_the_plain_files_of_the_first_version(tmp_path: Path) -> None:
    for path, text in TEXTS.items():
        kept = tmp_path / OLD_FOLDER / f"{path}.base"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(text)
    assert read_base(tmp_path) == TEXTS


def test_none_was_kept(tmp_path: Path) -> None:
    assert read_base(tmp_path) == {}


@pytest.mark.parametrize(
    "broken", [b"", b"<<<<<<< ours\n", pack_base(TEXTS)[:-30], pack_base(TEXTS)[40:]]
)
def test_a_broken_archive_is_named_and_replaced(tmp_path: Path, broken: bytes) -> None:
    put(tmp_path, broken)
    with pytest.raises(PolsterError, match=r"\.polster/base\.zip cannot be read") as caught:
        read_base(tmp_path)
    assert caught.value.hint == "restore it:  git checkout .polster/base.zip"
    assert base_file(tmp_path, TEXTS).content == pack_base(TEXTS)


def test_a_damaged_text_is_no_base(tmp_path: Path) -> None:
    content = bytearray(pack_base({README: bytes(range(256)) * 9}))
    content[60] ^= 0xFF
    put(tmp_path, bytes(content))
    with pytest.raises(PolsterError, match="cannot be read"):
        read_base(tmp_path)


def test_no_search_meets_a_text_in_it(tmp_path: Path) -> None:
    put(tmp_path, pack_base({README: b"one word of the README, twice: one word of the README\n"}))
    assert tree(tmp_path).keys() == {str(PATH)}
    search = ["grep", "-r", "word of the README", str(tmp_path)]
    found = subprocess.run(search, capture_output=True, check=False)
    assert (found.returncode, found.stdout) == (1, b"")


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        (".env", Owner.TEAM),
        (".env.example", Owner.SHARED),
        ("data/gold/.gitkeep", Owner.TEAM),
        ("src/core/bronze_orders.py", Owner.TEAM),
        ("src/core/storage.py", Owner.SHARED),
        ("src/core/bronzed.py", Owner.SHARED),
        ("src/orchestration/assets/gold/__init__.py", Owner.TEAM),
        ("src/orchestration/definitions.py", Owner.SHARED),
        ("src/polster_runtime/storage/store.py", Owner.POLSTER),
        ("src/polster_runtime_notes.md", Owner.SHARED),
        ("tests/test_silver_orders.py", Owner.TEAM),
        ("tests/test_project.py", Owner.SHARED),
        ("docs/data/guide.md", Owner.SHARED),
    ],
)
def test_who_owns_a_file(path: str, owner: Owner) -> None:
    assert owner_of(PurePosixPath(path)) is owner
