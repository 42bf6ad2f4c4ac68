"""Whole projects: adding and removing is nothing, renaming there and back is nothing.

Whatever goes wrong on the way, the tree is the old one or the new one.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polster_core.testing.projects import tree
from tests.handmade import polster, shop, write_project

NAMES = ("a", "b10", "b9", "orders", "orders_2026_09", "clean_orders", "z" * 45)
ASSET = re.compile(r"src/core/(bronze|silver|gold)_\w+\.py")
name = st.sampled_from(NAMES)


@st.composite
def projects(draw: st.DrawFn) -> Mapping[str, str]:
    """Return the files of a project with up to twelve assets, and texts that mention them."""
    bronze = draw(st.lists(name, min_size=1, max_size=4, unique=True))
    assets: dict[str, tuple[str, ...]] = {f"bronze_{one}": () for one in bronze}
    for layer, upstream in (("silver", "bronze"), ("gold", "silver")):
        there = [stem for stem in assets if stem.startswith(upstream)]
        for one in draw(st.lists(name, max_size=4, unique=True)) if there else ():
            deps = draw(st.lists(st.sampled_from(there), min_size=1, max_size=3, unique=True))
            assets[f"{layer}_{one}"] = tuple(deps)
    files = shop(assets)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    files["README.md"] = " ".join(f"`{stem}` (src/core/{stem}.py)," for stem in assets)
    files["tests/test_all.py"] = "".join(
        f"from core.{stem} import {function}\n\n{function}({_arguments(deps)})\n"
        for stem, deps in assets.items()
        for function in [FUNCTIONS[stem.partition("_")[0]]]
    )
    for stem in assets:
        layer, _, bare = stem.partition("_")
        files[f"data/{layer}/{bare}/1.parquet"] = stem
    return {path: text.replace("\n", newline) for path, text in files.items()}


FUNCTIONS = {"bronze": "extract", "silver": "transform", "gold": "aggregate"}


def _arguments(deps: Sequence[str]) -> str:
    return ", ".join(f"{dep.partition('_')[2]}=frame" for dep in deps)


def written(root: Path, files: Mapping[str, str]) -> Path:
    """Write a project into an empty folder."""
    shutil.rmtree(root, ignore_errors=True)
    return write_project(root, files).root


def stems(files: Mapping[str, str]) -> list[str]:
    return sorted(Path(path).stem for path in files if ASSET.match(path))


relaxed = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@relaxed
@given(files=projects(), data=st.data())
def test_renaming_there_and_back_is_nothing(
    tmp_path: Path, files: Mapping[str, str], data: st.DataObject
) -> None:
    root = written(tmp_path / "shop", files)
    before = tree(root)
    stem = data.draw(st.sampled_from(stems(files)))
    layer, _, old = stem.partition("_")
    new = data.draw(st.sampled_from(["aa", "b", "orders_2026_10", "zz" + "y" * 45]))
    assert polster(root, "validate").code == 0
    done = polster(root, "rename-asset", layer, old, new)
    assert done.code == 0, done.err
    assert polster(root, "validate").code == 0
    assert not [path for path in tree(root) if Path(path).stem.endswith(stem)]
    assert polster(root, "rename-asset", layer, new, old).code == 0
    assert tree(root) == before


@relaxed
@given(files=projects(), data=st.data())
def test_adding_and_removing_is_nothing(
    tmp_path: Path, files: Mapping[str, str], data: st.DataObject
) -> None:
    root = written(tmp_path / "shop", files)
    before = tree(root)
    known = stems(files)
    silver = [stem for stem in known if stem.startswith("silver_")]
    layer, upstream = data.draw(
        st.sampled_from([("silver", [s for s in known if s.startswith("bronze_")])])
        | st.sampled_from([("gold", silver)] if silver else [("bronze", [])])
    )
    deps = (
        data.draw(st.lists(st.sampled_from(upstream), min_size=1, unique=True)) if upstream else []
    )
    given = ("--dependencies", ",".join(deps)) if deps else ()
    new = data.draw(st.sampled_from(["aa", "b", "orders_2026_10", "zz" + "y" * 45]))
    done = polster(root, "add-asset", "--layer", layer, "--name", new, *given)
    assert done.code == 0, done.err
    assert polster(root, "remove-asset", f"{layer}_{new}", "--force").code == 0
    assert tree(root) == before


FILES = {
    **shop(
        {
            "bronze_orders": (),
            "silver_orders": ("bronze_orders",),
            "gold_revenue": ("silver_orders",),
        }
    ),
    "README.md": "silver_orders\n",
    "tests/test_silver_orders.py": "from core.silver_orders import transform\n",
    "data/silver/orders/1.parquet": "",
}
ADD = ("add-asset", "--layer", "gold", "--name", "second", "--dependencies", "orders")
RENAME = ("rename-asset", "silver", "orders", "clean_orders")
REMOVE = ("remove-asset", "silver_orders", "gold_revenue", "--data", "--force")
NEVER_FAILED = 77
TRACES = re.compile(r"/\.apply|/\.finished-|\.polster-\d")
WRITES = (
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.chmod", "os.truncate"),
    "shutil.rmtree",
)


def fail_once(root: Path, number: int, fail: Callable[[], None]) -> Callable[[], int]:
    """Fail the n-th time that this process writes something below a folder.

    Returns what says how many writes there are until then.
    """
    left = number

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if (event in WRITES or opens) and str(arguments[0]).startswith(str(root)):
            left -= 1
            if left == 0:
                fail()

    sys.addaudithook(hook)
    return lambda: left


def full_disk() -> None:
    raise OSError(28, "No space left on device")


def interrupt() -> None:
    raise KeyboardInterrupt


def in_child(work: Callable[[], int]) -> int:
    """Do something in a process of its own and return its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("command", [ADD, RENAME, REMOVE], ids=lambda command: command[0])
@pytest.mark.parametrize(("fail", "code"), [(full_disk, 1), (interrupt, 130)])
def test_a_failure_at_any_write_leaves_the_old_tree(
    tmp_path: Path, command: tuple[str, ...], fail: Callable[[], None], code: int
) -> None:
    root = written(tmp_path / "shop", FILES)
    old = tree(root)
    assert polster(root, *command).code == 0
    new = tree(root)
    failed = 0
    for number in range(1, 200):
        written(root, FILES)

        def failing(number: int = number) -> int:
            writes_left = fail_once(root, number, fail)
            ended = polster(root, *command).code
            return NEVER_FAILED if writes_left() > 0 else ended

        ended, after = in_child(failing), code_and_data(root)
        if ended == NEVER_FAILED:
            break
        # What fails while traces are removed undoes nothing: they go when the next command runs.
        assert after in ((new,) if ended == 0 else (old, new)), f"{command[0]} at write {number}"
        assert ended in {0, code}
        failed += after == old
    assert failed > len(set(old.items()) ^ set(new.items()))


def code_and_data(root: Path) -> dict[str, str]:
    """Return all files but those that `apply` keeps for itself."""
    return {path: text for path, text in tree(root).items() if not TRACES.search(path)}


def test_a_failing_step_leaves_the_new_tree(tmp_path: Path) -> None:
    """Dagster's history is changed last; what is wrong with it undoes no code."""
    root = written(tmp_path / "shop", FILES)
    (root / ".dagster/history").mkdir(parents=True)
    interpreter = root / ".venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text("#!/bin/sh\necho no such module\nexit 3\n")
    interpreter.chmod(0o755)
    done = polster(root, *RENAME)
    assert done.code == 1
    assert done.err == (
        "error: Dagster's history could not be changed (exit code 3); everything else is done\n"
        "  no such module\n"
        "hint: the assets' old names stay visible in Dagster until they are wiped there\n"
    )
    assert (root / "src/core/silver_clean_orders.py").is_file()
