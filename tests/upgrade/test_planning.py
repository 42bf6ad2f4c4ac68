"""One plan for a project: its verdicts, nothing lost, nothing left to do, nothing half done."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polster_core.errors import PlanError, PolsterError
from polster_core.plan.apply import apply
from polster_core.plan.recovery import recover
from polster_core.project import base, manifest
from polster_core.testing.projects import tree
from polster_core.upgrade.planning import Sources, draft_upgrade, outcomes
from polster_core.upgrade.verdicts import Verdict
from tests import machine
from tests.machine import bound_by_permissions, python
from tests.upgrade.project import generated, lay_out, planned

TEXT = "a\nb\nc\nd\ne\n"
OLD = {
    "README.md": TEXT,
    "docs/guide.md": TEXT,
    "docs/gone.md": TEXT,
    "docs/gone_and_edited.md": TEXT,
    "docs/deleted.md": TEXT,
    "src/orchestration/definitions.py": "one = 1\n\ntwo = 2\n\nthree = 3\n",
    "src/orchestration/utils.py": "x = 1\n",
    "src/polster_runtime/a.py": "a = 1\n",
    "src/polster_runtime/b.py": "b = 1\n",
    "src/polster_runtime/old/c.py": "c = 1\n",
    "src/core/bronze_orders.py": "old",
}
MINE = {
    **OLD,
    "docs/guide.md": f"{TEXT}ours\n",
    "docs/gone_and_edited.md": f"{TEXT}ours\n",
    "src/orchestration/definitions.py": "one = 'ours'\n\ntwo = 2\n\nthree = 3\n",
    "src/orchestration/utils.py": "x = 'ours'\n",
    "src/polster_runtime/a.py": "a = 'ours'\n",
    "src/core/bronze_orders.py": "ours",
    "docs/ours.md": "ours",
}
del MINE["docs/deleted.md"], MINE["src/polster_runtime/b.py"]
NEW = {
    "README.md": f"{TEXT}new\n",
    "docs/guide.md": TEXT,
    "docs/deleted.md": f"{TEXT}new\n",
    "docs/added.md": "new\n",
    "docs/ours.md": "new\n",
    "src/orchestration/definitions.py": "one = 1\n\ntwo = 2\n\nthree = 'new'\n",
    "src/orchestration/utils.py": "x = 'new'\n",
    "src/polster_runtime/a.py": "a = 2\n",
    "src/polster_runtime/b.py": "b = 1\n",
    "src/polster_runtime/new.py": "new = 1\n",
    "src/core/bronze_orders.py": "new",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    lay_out(root, OLD, MINE)
    return root


def texts(root: Path) -> dict[str, str]:
    """Return the files of a project, the archive aside."""
    return {
        path: text
        for path, text in tree(root).items()
        if path not in {".polster/base.zip", ".polster/manifest.json"} and ".apply" not in path
    }


def files(root: Path) -> dict[str, str]:
    """Return the files of a project, the lock aside that its writers take turns with."""
    return {path: text for path, text in tree(root).items() if ".apply" not in path}


def test_a_verdict_for_each_file(shop: Path) -> None:
    decided, plan = planned(shop, NEW)
    assert {str(one.path): str(one.verdict) for one in decided} == {
        "README.md": "updated",
        "docs/added.md": "added",
        "docs/deleted.md": "deleted by you",
        "docs/gone.md": "removed",
        "docs/gone_and_edited.md": "yours",
        "docs/guide.md": "yours",
        "docs/ours.md": "conflict",
        "src/orchestration/definitions.py": "merged",
        "src/orchestration/utils.py": "conflict",
        "src/polster_runtime/a.py": "conflict",
        "src/polster_runtime/b.py": "updated",
        "src/polster_runtime/new.py": "added",
        "src/polster_runtime/old/c.py": "removed",
    }
    apply(plan)
    assert texts(shop) == {
        "README.md": NEW["README.md"],
        "docs/added.md": "new\n",
        "docs/gone_and_edited.md": f"{TEXT}ours\n",
        "docs/guide.md": f"{TEXT}ours\n",
        "docs/ours.md": "ours",
        "docs/ours.md.polster-new": "new\n",
        "src/core/bronze_orders.py": "ours",
        "src/orchestration/definitions.py": "one = 'ours'\n\ntwo = 2\n\nthree = 'new'\n",
        "src/orchestration/utils.py": "x = 'ours'\n",
        "src/orchestration/utils.py.polster-new": "x = 'new'\n",
        "src/polster_runtime/a.py": "a = 2\n",
        "src/polster_runtime/b.py": "b = 1\n",
        "src/polster_runtime/new.py": "new = 1\n",
        ".polster/replaced/src/polster_runtime/a.py.old": "a = 'ours'\n",
    }
    assert not (shop / "src/polster_runtime/old").exists()


def test_a_second_upgrade_has_nothing_to_do(shop: Path) -> None:
    apply(planned(shop, NEW)[1])
    before = tree(shop)
    decided, plan = planned(shop, NEW)
    assert not plan
    verdicts = {one.verdict for one in decided}
    assert verdicts == {Verdict.UNCHANGED, Verdict.YOURS, Verdict.DELETED}
    assert tree(shop) == before


def test_the_next_upgrade_starts_from_this_one(shop: Path) -> None:
    apply(planned(shop, NEW)[1])
    newer = {**NEW, "src/orchestration/definitions.py": "one = 1\n\ntwo = 3\n\nthree = 'new'\n"}
    decided, plan = planned(shop, newer)
    changed = {str(one.path): one.verdict for one in decided if one.text is not None}
    assert changed == {"src/orchestration/definitions.py": Verdict.MERGED}
    apply(plan)
    merged = (shop / "src/orchestration/definitions.py").read_text()
    assert merged == "one = 'ours'\n\ntwo = 3\n\nthree = 'new'\n"


def test_without_the_archive_nothing_is_merged_by_guessing(shop: Path) -> None:
    (shop / base.PATH).unlink()
    decided, _ = planned(shop, NEW)
    verdict = next(one for one in decided if one.path.name == "definitions.py")
    assert verdict.verdict is Verdict.CONFLICT
    assert verdict.note == "what was generated before is not known"


def test_a_text_of_another_version_is_no_base(shop: Path) -> None:
    found = {**base.read_base(shop)}
    path = next(path for path in found if path.name == "definitions.py")
    (shop / base.PATH).write_bytes(base.pack_base({**found, path: b"another\n"}))
    decided, _ = planned(shop, NEW)
    assert next(one for one in decided if one.path == path).verdict is Verdict.CONFLICT


def test_line_ends_of_windows_are_no_edit_and_stay(shop: Path) -> None:
    for path in ("README.md", "src/polster_runtime/old/c.py", "src/polster_runtime/a.py"):
        (shop / path).write_bytes(OLD[path].replace("\n", "\r\n").encode())
    decided, plan = planned(shop, NEW)
    found = {str(one.path): one.verdict for one in decided}
    assert found["README.md"] is found["src/polster_runtime/a.py"] is Verdict.UPDATED
    apply(plan)
    assert (shop / "README.md").read_bytes() == NEW["README.md"].replace("\n", "\r\n").encode()


def test_files_that_may_not_be_written_are_all_named_first(shop: Path) -> None:
    for path in ("README.md", "src/polster_runtime/old/c.py"):
        (shop / path).chmod(0o444)
    before = tree(shop)
    script = (
        "import json, sys\nfrom pathlib import Path\nfrom tests.upgrade.project import planned\n"
        "from polster_core.errors import PlanError\n"
        "try:\n    planned(Path(sys.argv[1]), json.loads(sys.argv[2]))\n"
        "except PlanError as error:\n    print(*error.details, sep='\\n')\n"
    )
    done = python("-c", script, shop, json.dumps(NEW), setup=bound_by_permissions)
    assert done.stdout.splitlines() == [
        "README.md is write-protected",
        "src/polster_runtime/old/c.py is write-protected",
    ], done.stderr
    assert tree(shop) == before


def test_a_folder_at_the_place_of_a_file(shop: Path) -> None:
    (shop / "docs/added.md").mkdir()
    with pytest.raises(PolsterError, match=r"docs/added\.md cannot be read: Is a directory"):
        planned(shop, NEW)


@pytest.mark.parametrize("path", ["../outside.md", "/etc/passwd", "a:b"])
def test_a_manifest_that_names_a_path_outside(shop: Path, path: str) -> None:
    known = json.loads((shop / manifest.PATH).read_text())
    known["files"][path] = {"sha256": "0", "origin": "project"}
    (shop / manifest.PATH).write_text(json.dumps(known))
    with pytest.raises(PolsterError, match=r"manifest\.json is wrong: .* is outside the project"):
        planned(shop, NEW)


def test_a_manifest_without_files_makes_no_verdict_of_loss(shop: Path) -> None:
    """As somebody would write it by hand: what differs is a conflict, and nothing is deleted."""
    (shop / manifest.PATH).write_bytes(manifest.file(manifest.Manifest(name="shop")).content)
    before = texts(shop)
    decided, plan = planned(shop, NEW)
    assert {one.verdict for one in decided} == {Verdict.ADDED, Verdict.CONFLICT}
    apply(plan)
    after = texts(shop)
    lost = {path for path, text in before.items() if after.get(path) != text}
    assert lost == {"src/polster_runtime/a.py"}
    assert after[".polster/replaced/src/polster_runtime/a.py.old"] == "a = 'ours'\n"


def test_what_may_belong_to_the_project_is_neither_removed_nor_forgotten(shop: Path) -> None:
    gone = next(path for path in generated(OLD) if path.name == "gone.md")
    known = manifest.load(shop)
    sources = Sources(
        root=shop,
        known=known,
        base=base.read_base(shop),
        target=generated(NEW),
        optional=[gone],
    )
    decided = outcomes(sources)
    apply(draft_upgrade(sources, decided, manifest.Manifest(name="shop")))
    assert (shop / gone).read_text() == TEXT
    assert manifest.load(shop).files[gone] == known.files[gone]
    assert base.read_base(shop)[gone] == TEXT.encode()


def test_what_a_retired_file_was_is_kept(shop: Path) -> None:
    edited = next(path for path in generated(OLD) if path.name == "gone_and_edited.md")
    sources = Sources(
        root=shop,
        known=manifest.load(shop),
        base={},
        target=generated(NEW),
        retired=[edited],
    )
    decided = outcomes(sources)
    found = next(one for one in decided if one.path == edited)
    assert found.verdict is Verdict.CONFLICT
    apply(draft_upgrade(sources, decided, manifest.Manifest(name="shop")))
    assert not (shop / edited).exists()
    kept = shop / ".polster/replaced/docs/gone_and_edited.md.old"
    assert kept.read_text() == MINE[str(edited)]


def test_killed_at_any_step_it_is_the_old_project_or_the_new_one(tmp_path: Path) -> None:
    """A file of each kind is written, one kept aside, one removed, and a folder as well."""
    few = ("src/orchestration/utils.py", "src/polster_runtime/a.py", "src/polster_runtime/old/c.py")
    shop, new = tmp_path / "shop", {path: NEW[path] for path in (*few[:2], "docs/added.md")}
    lay_out(shop, {path: OLD[path] for path in few}, {path: MINE[path] for path in few})
    (tmp_path / "new.json").write_text(json.dumps(new))
    before, deaths = files(shop), 0
    for call in range(1_000):
        done = python("-m", "tests.upgrade.killed", shop, str(call), tmp_path / "new.json")
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        deaths += 1
        if all(one.finished for one in recover(shop).interrupted) and files(shop) != before:
            break  # it died when all was done
        assert files(shop) == before, call
    assert deaths > 20
    assert texts(shop)["docs/added.md"] == NEW["docs/added.md"]
    assert not planned(shop, new)[1]


PATHS = (
    "README.md",
    ".gitignore",
    "docs/guide.md",
    "src/orchestration/definitions.py",
    "src/polster_runtime/a.py",
    "src/polster_runtime/b/c.py",
    "src/core/bronze_orders.py",
)
Files = dict[str, list[str]]


@st.composite
def projects(draw: st.DrawFn) -> tuple[Files, Files, Files]:
    """Draw what was generated, and what a team and Polster have made of it."""
    lines = st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=8)
    old = {path: draw(lines) for path in PATHS if draw(st.booleans())}

    def edit(mark: str) -> Files:
        found: Files = {}
        for number, path in enumerate(PATHS):
            what = draw(st.sampled_from(["keep", "edit", "edit", "edit", "delete"]))
            if what == "delete" or (path not in old and what == "keep"):
                continue
            text = list(old.get(path, ()))
            for place in draw(st.lists(st.integers(0, 8), max_size=3)) if what == "edit" else ():
                text[place : place + draw(st.integers(0, 2))] = [f"{mark}_{number}_{place}"]
            found[path] = text
        return found

    return old, edit("mine"), edit("new")


def text_of(files: Files) -> dict[str, str]:
    return {path: "".join(f"{line}\n" for line in lines) for path, lines in files.items()}


@given(projects())
@settings(max_examples=60, deadline=None)
def test_random_projects_lose_no_line_and_are_done_after_one_upgrade(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[Files, Files, Files]
) -> None:
    old, mine, new = (text_of(files) for files in drawn)
    root = tmp_path_factory.mktemp("upgrade") / "shop"
    lay_out(root, old, mine)
    decided, plan = planned(root, new)
    apply(plan)
    found = texts(root)
    everywhere = {line for text in found.values() for line in text.splitlines()}
    ours = {line for text in mine.values() for line in text.splitlines() if "mine" in line}
    assert ours <= everywhere
    asset = "src/core/bronze_orders.py"
    assert found.get(asset) == mine.get(asset)
    conflicts = {str(one.path) for one in decided if one.verdict is Verdict.CONFLICT}
    for path, text in new.items():
        if path == asset or path in conflicts:
            continue
        theirs = {line for line in text.splitlines() if "new" in line}
        assert theirs <= set(found.get(path, "").splitlines()) or path not in found
    assert not any("<<<<" in text or ">>>>" in text for text in found.values())

    after = tree(root)
    assert not planned(root, new)[1]
    assert tree(root) == after


def test_a_plan_error_names_everything(shop: Path) -> None:
    (shop / "docs/added.md").symlink_to(shop / "nowhere")
    with pytest.raises(PlanError, match=r"docs/added\.md is a link to a file that does not exist"):
        planned(shop, NEW)


def test_readers_that_several_templates_share_bring_none_of_the_others(tmp_path: Path) -> None:
    given = ("init", "shop", "--no-setup", "--no-git", "--no-sample-assets")
    assert machine.polster(*given, cwd=tmp_path).returncode == 0
    asset = ("--layer", "bronze", "--name", "x", "--template", "csv", "--path", "x.csv")
    assert machine.polster("add-asset", *asset, cwd=tmp_path / "shop").returncode == 0
    checked = machine.polster("upgrade", "--check", cwd=tmp_path / "shop")
    assert (checked.returncode, "nothing to do" in checked.stdout) == (0, True)
