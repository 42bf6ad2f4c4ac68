"""Images, services and manifests: the tools of their platforms find nothing wrong with them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from polster_core.project.manifest import digest
from polster_core.testing import ProjectFolder, polster

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="services of Linux")
BESIDE = Path(sys.executable).parent
"""Where the programs are that pip has installed."""
ADLS = ("--storage", "adls", "--adls-account-name", "acc", "--adls-container", "lake")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """Return a project with every deployment."""
    folder = tmp_path_factory.mktemp("deployed")
    polster(folder, "init", "my_shop", "--no-setup", "--no-git", *ADLS).succeeded()
    made = ProjectFolder(folder / "my_shop")
    for name in ("docker", "kubernetes", "systemd"):
        made.polster("add-deploy", name).succeeded()
    return made


def told(*command: str | Path) -> tuple[int, str]:
    """Return the exit code of a command, and what it printed."""
    done = subprocess.run(
        [*map(str, command)], check=False, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the manifests that the kustomization lists, each with its file."""
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))["resources"]:
        for one in yaml.safe_load_all((folder / name).read_text("utf-8")):
            yield name, one


def test_the_image(shop: ProjectFolder) -> None:
    """A linter of Dockerfiles is content, and no secret or data gets into the build."""
    assert told(BESIDE / "hadolint", shop.root / "Dockerfile") == (0, "")
    ignored = (shop.root / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[1] == "*"
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert not kept & {".env", "data", "deploy", ".dagster", "prod.env"}
    image = (shop.root / "Dockerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", image, re.MULTILINE)
    for path in " ".join(copied).split():
        assert path == "uv.lock" or (shop.root / path).exists(), path
        assert path in kept or any(one.startswith(f"{path}/") for one in kept), path


def test_compose(shop: ProjectFolder) -> None:
    """The file is what the specification of Compose says."""
    file = shop.root / "compose.yaml"
    check = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec")
    code, said = told(BESIDE / check[0], *check[1:], file)
    assert code == 0, said
    services = yaml.safe_load(file.read_text("utf-8"))["services"]
    for name in ("code", "webserver", "daemon"):
        one = services[name]
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["healthcheck"]["test"][0] == "CMD"
        assert one["mem_limit"]
    published = [port for one in services.values() for port in one.get("ports", ())]
    assert published == ["127.0.0.1:${DAGSTER_PORT:-3000}:3000", "${PROXY_PORT:-443}:8443"]


def test_the_scripts(shop: ProjectFolder) -> None:
    """They may be executed, and a linter of shell scripts is content."""
    scripts = sorted((shop.root / "deploy").rglob("*.sh"))
    assert [one.name for one in scripts] == ["update.sh", "start.sh", "update.sh"]
    for script in scripts:
        assert script.stat().st_mode & 0o111
        assert told(BESIDE / "shellcheck", script) == (0, "")


def test_the_units(shop: ProjectFolder, tmp_path: Path) -> None:
    """Systemd knows every word of them; their programs are elsewhere."""
    units = sorted((shop.root / "deploy/systemd").glob("*.service"))
    names = ["my-shop-code", "my-shop-daemon", "my-shop-webserver"]
    assert [one.stem for one in units] == names
    there = []
    for unit in units:
        text, changed = re.subn(
            r"^ExecStart=/opt/my-shop/.venv/bin/\S+",
            "ExecStart=/bin/true",
            unit.read_text("utf-8"),
            flags=re.MULTILINE,
        )
        assert changed == 1
        there.append(tmp_path / unit.name)
        there[-1].write_text(text, encoding="utf-8")
    assert told("systemd-analyze", "verify", *there) == (0, "")


def test_the_manifests(shop: ProjectFolder) -> None:
    """Kubernetes would take them: no field that it does not know."""
    found = list(documents(shop.root / "deploy/kubernetes"))
    kinds = [one["kind"] for _, one in found]
    assert kinds.count("Deployment") == 3
    for _, one in found:
        kubernetes_validate.validate(one, "1.31", strict=True)


def test_the_kustomization(shop: ProjectFolder) -> None:
    """It lists every manifest, and sets what the manifests leave to it."""
    folder = shop.root / "deploy/kubernetes"
    made = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    files = {path.name for path in folder.iterdir()} - {"kustomization.yaml"}
    generated = {
        entry.partition("=")[2] or entry
        for one in made["configMapGenerator"]
        for entry in (*one.get("files", ()), *one.get("envs", ()))
    }
    assert files == {*made["resources"], *generated}
    (image,) = made["images"]
    (replaced,) = made["replacements"]
    deployments = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"]
        for _, one in documents(folder)
        if one["kind"] == "Deployment"
    }
    assert {one["image"] for (one,) in deployments.values()} == {image["name"]}
    (code,) = deployments[replaced["source"]["name"]]
    assert [entry["name"] for entry in code["env"]] == ["DAGSTER_CURRENT_IMAGE"]
    maps = {one["name"] for one in made["configMapGenerator"]}
    assert set(re.findall(r"configMap(?:Ref)?: {name: ([\w-]+)}", _texts(folder))) == maps


def _texts(folder: Path) -> str:
    return "\n".join(path.read_text("utf-8") for path in folder.glob("*.yaml"))


def test_pods_have_no_rights(shop: ProjectFolder) -> None:
    """What the namespace enforces, the pods keep; so do those of runs."""
    folder = shop.root / "deploy/kubernetes"
    config = yaml.safe_load((folder / "dagster.yaml").read_text("utf-8"))["run_launcher"]["config"]
    run = config["run_k8s_config"]
    assert run["pod_spec_config"]["security_context"]["run_as_non_root"] is True
    assert run["container_config"]["security_context"]["capabilities"] == {"drop": ["ALL"]}
    pods = [one["spec"]["template"]["spec"] for _, one in documents(folder) if _is_pod(one)]
    assert len(pods) == 3
    code = next(one["containers"][0] for one in pods if one["containers"][0]["name"] == "code")
    mounts = {one["mountPath"]: one.get("subPath") for one in code["volumeMounts"]}
    own = run["container_config"]["volume_mounts"]
    assert {one["mount_path"]: one.get("sub_path") for one in own} == mounts, "start.sh needs them"
    volumes = {one["name"] for one in run["pod_spec_config"]["volumes"]}
    assert volumes == {one["name"] for one in own}
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["limits"]["memory"]


def _is_pod(document: dict[str, Any]) -> bool:
    return bool(document["kind"] == "Deployment")


def test_what_is_in_the_way_is_named(tmp_path: Path) -> None:
    """Nothing is written where a project has a Dockerfile of its own."""
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    root = tmp_path / "shop"
    (root / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    ran = polster(root, "add-deploy", "docker")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "error: Dockerfile is there already, with other contents; nothing was changed",
        "hint: rename it, add the deployment, and merge the two",
    ]
    assert not (root / "compose.yaml").exists()


def test_a_name_that_there_is_not(tmp_path: Path) -> None:
    """The nearest one is suggested."""
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    ran = polster(tmp_path / "shop", "add-deploy", "dokcer")
    assert ran.code == 2
    assert "docker" in ran.err


def test_an_upgrade_carries_them_along(tmp_path: Path) -> None:
    """What an older Polster wrote, and nobody has edited since, becomes what this one writes."""
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git").succeeded()
    root = tmp_path / "shop"
    polster(root, "add-deploy", "docker").succeeded()
    known, file = root / ".polster/manifest.json", root / "compose.yaml"
    drain = root / "src/polster_runtime/dagster/drain/__main__.py"
    before = {path: path.read_bytes() for path in (file, drain)}
    text = known.read_text("utf-8")
    for path, content in before.items():
        older = content + b"# of an older one\n"
        path.write_bytes(older)
        assert digest(content) in text
        text = text.replace(digest(content), digest(older))
    known.write_text(text, encoding="utf-8")
    polster(root, "upgrade").succeeded()
    assert {path: path.read_bytes() for path in before} == before

    file.unlink()
    polster(root, "upgrade").succeeded()
    assert not file.exists()
    assert "nothing to do" in polster(root, "upgrade").out
    polster(root, "add-deploy", "docker").succeeded()
    assert file.read_bytes() == before[file]


def test_a_project_in_a_package_of_its_own(tmp_path: Path) -> None:
    """What is started is where the code is, also in a folder of a repository."""
    subprocess.run(["git", "init", "-q"], check=True, cwd=tmp_path)
    polster(tmp_path, "init", "shop", "--no-setup", "--no-git", "--package", "lake").succeeded()
    root = tmp_path / "shop"
    for name in ("docker", "kubernetes", "systemd"):
        polster(root, "add-deploy", name).succeeded()
    started = ("Dockerfile", "deploy/kubernetes/code.yaml", "deploy/systemd/shop-code.service")
    for file in started:
        assert re.search(r"\W-m\W+lake\.orchestration\.definitions\W", (root / file).read_text())
    guide = (root / "docs/deploy/systemd.md").read_text()
    assert "ln -s shop-repository/shop /opt/shop && cd /opt/shop\n" in guide
