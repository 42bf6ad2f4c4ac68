"""Run the project in a pipeline, and tell people what came of it.

    python ci/run.py [what run_polster.py takes, such as --select gold_sales+]

Shows what run_polster.py says and writes reports/: run.log, run.json, junit.xml, lineage.mmd (a
picture, for Mermaid), and summary.md, which the platform shows as the summary of the job. The
values of secret variables are masked in all of it: platforms mask their own log only. Exits as
run_polster.py does.

Upgrades of Polster replace this file.
"""

import base64
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "reports"
SECRET = re.compile(
    r"KEY|TOKEN|PASS|PWD|SECRET|SAS|CREDENTIAL|CONNECTION|PRIVATE|ALERT_URLS|_DSN|WEBHOOK"
)
"""Names of variables whose values are masked, with those in POLSTER_MASK (names, by spaces)."""
SHORTEST = 4
"""Characters below which a value is no secret, but a part of many words."""
PLAIN = {"true", "false", "none", "null"}
URL = re.compile(r"(?<=[:/@])[^\s:/@]+")
"""Parts of an address."""
COLORS = {
    "succeeded": "fill:#dcefdc,stroke:#3c7a3c,color:#1b3a1b",
    "failed": "fill:#f6d5d5,stroke:#a33,color:#4a1111",
    "skipped": "fill:#eee,stroke:#888,color:#444",
}
NOT_PRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
"""What XML cannot hold."""


def main() -> int:
    """Run, report, and return the exit code."""
    REPORTS.mkdir(exist_ok=True)
    environment = {**cleaned(given_variables()), **cleaned(os.environ)}
    code, log, outcome = run(environment, Mask(environment))
    (REPORTS / "run.log").write_text("".join(log), encoding="utf-8")
    if outcome is not None:
        (REPORTS / "run.json").write_text(json.dumps(outcome, indent=1), encoding="utf-8")
    assets = outcome["assets"] if outcome else []
    (REPORTS / "junit.xml").write_text(junit(assets, code, log), encoding="utf-8")
    (REPORTS / "lineage.mmd").write_text(lineage(assets), encoding="utf-8")
    text = summary(outcome, environment, code, log)
    if assets and "GITHUB_ACTIONS" in environment:  # which draws it
        text += f"\n```mermaid\n{lineage(assets)}```\n"
    (REPORTS / "summary.md").write_text(text, encoding="utf-8")
    show(text, code)
    return code


def given_variables() -> dict[str, str]:
    """The platform's plain variables, where they come as one JSON document (GitHub).

    Those of the sign-in to Azure are the platform's own affair.
    """
    known: dict[str, str] = json.loads(os.environ.get("POLSTER_VARIABLES") or "{}")
    return {name: text for name, text in known.items() if not name.startswith("AZURE_")}


def cleaned(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables without those that are not set: "" on GitHub, the literal $(NAME) on Azure."""
    return {
        name: text
        for name, text in variables.items()
        if text not in {"", f"$({name})"} and name != "POLSTER_VARIABLES"
    }


class Mask:
    """Puts *** in the place of every secret, however it is spelled."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        listed = variables.get("POLSTER_MASK", "").split()
        values = [text for name, text in variables.items() if name in listed or SECRET.search(name)]
        found = {one for value in values for one in spellings(value)}
        spelled = {one for one in found if len(one) >= SHORTEST and one.lower() not in PLAIN}
        longest_first = sorted(spelled, key=lambda text: (-len(text), text))
        pattern = "|".join(map(re.escape, longest_first)) or "(?!)"
        self.pattern = re.compile(pattern, re.IGNORECASE)  # %2B is %2b

    def __call__(self, found: Any) -> Any:
        """A text without secrets; lists and dictionaries with such texts."""
        if isinstance(found, str):
            return self.pattern.sub("***", found)
        if isinstance(found, list):
            return [self(one) for one in found]
        if isinstance(found, dict):
            return {name: self(one) for name, one in found.items()}
        return found


def spellings(secret: str) -> set[str]:
    """A secret as it may turn up: alone, in URLs, in JSON, in a header, line by line."""
    parts = {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}
    for piece in re.split(r"[\s;&?]+", secret):  # AccountKey=..., sig=..., slack://...
        parts |= {one for one in (piece.partition("=")[2], *URL.findall(piece)) if len(one) > 7}
    return {
        spelled
        for part in parts
        for spelled in (
            part,
            quote(part),
            quote(part, safe=""),
            quote_plus(part),
            json.dumps(part)[1:-1],
            repr(part)[1:-1],
            base64.b64encode(part.encode()).decode(),
        )
    }


def run(environment: Mapping[str, str], mask: Mask) -> tuple[int, list[str], dict[str, Any] | None]:
    """Run the assets; return the exit code, the log, and what became of each, all masked."""
    log: list[str] = []
    outcome = None
    token = secrets.token_hex(16)
    on_github = "GITHUB_ACTIONS" in environment
    if on_github:
        say(f"::stop-commands::{token}")  # nothing that the data says is a command to the runner
    with subprocess.Popen(
        [sys.executable, "run_polster.py", "--json", *sys.argv[1:]],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: process.terminate())
        for line in process.stdout or ():
            if (found := document(line)) is not None:
                outcome = mask(found)
                continue
            log.append(mask(line).replace("##vso[", "## vso["))
            say(log[-1].rstrip("\n"))
    if on_github:
        say(f"::{token}::")
    code = process.returncode
    return (code if code >= 0 else 128 - code), log, outcome


def document(line: str) -> dict[str, Any] | None:
    """What run_polster.py tells machines, if this line is that."""
    if not line.startswith('{"success"'):
        return None
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return found


def summary(
    outcome: Mapping[str, Any] | None, environment: Mapping[str, str], code: int, log: list[str]
) -> str:
    """Markdown: what became of each asset, or how it ended before there were any."""
    name = environment.get("ENV", "dev")
    if outcome is None:
        end = "".join(log[-20:]).replace("```", "'''")
        return f"## Polster ({name}): stopped, exit code {code}\n\n```text\n{end}```\n"
    word = "succeeded" if outcome["success"] else "failed"
    rows = [
        f"## Polster ({name}): {word} in {outcome['seconds']:.1f} s",
        "",
        "| Asset | Status | Rows | Rejected | Seconds | |",
        "|---|---|---:|---:|---:|---|",
    ]
    for asset in outcome["assets"]:
        cells = [named(asset["key"]), asset["status"]]
        cells += [number(asset[name]) for name in ("rows", "rejected", "seconds")]
        cells.append(" ".join((asset["error"] or "").replace("|", "\\|").split()))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def lineage(assets: list[dict[str, Any]]) -> str:
    """The lineage, in the colours of what became of it."""
    rows = ["flowchart LR", *(f"  classDef {name} {color}" for name, color in COLORS.items())]
    for asset in assets:
        node = asset["key"].replace("/", "_")
        rows.append(f"  {node}[{named(asset['key'])}]:::{asset['status']}")
        rows += [f"  {up.replace('/', '_')} --> {node}" for up in asset.get("deps", [])]
    return "\n".join(rows) + "\n"


def named(key: str) -> str:
    """What the project calls the asset of a key: silver_orders."""
    return key.rpartition("/")[2].removeprefix("run_")


def number(value: float | None) -> str:
    """A number as people read it; nothing for none."""
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def junit(assets: list[dict[str, Any]], code: int, log: list[str]) -> str:
    """The assets as test cases; one that failed says why."""
    suite = ElementTree.Element("testsuite", name="Polster")
    for asset in assets:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=asset["layer"] or "other",
            name=named(asset["key"]),
            time=str(asset["seconds"] or 0),
        )
        if asset["status"] != "succeeded":
            kind = "skipped" if asset["status"] == "skipped" else "failure"
            fail(case, kind, asset["error"] or "")
    if not assets and code:
        case = ElementTree.SubElement(suite, "testcase", classname="polster", name="run")
        fail(case, "failure", "".join(log[-20:]))
    counts = {"tests": "testcase", "failures": "testcase/failure", "skipped": "testcase/skipped"}
    for name, path in counts.items():
        suite.set(name, str(len(suite.findall(path))))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def fail(case: ElementTree.Element, kind: str, message: str) -> None:
    """Say what became of a test case that did not succeed."""
    text = NOT_PRINTABLE.sub("?", message)
    ElementTree.SubElement(case, kind, message=text.partition("\n")[0]).text = text


def show(text: str, code: int) -> None:
    """Put the summary where the platform shows it."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
        if code:
            say(f"::error title=Polster::the run failed with exit code {code}")
    elif os.environ.get("TF_BUILD"):
        say(f"##vso[task.uploadsummary]{REPORTS / 'summary.md'}")
        if code:
            say(f"##vso[task.logissue type=error]Polster: the run failed with exit code {code}")
    else:
        say(text)


def say(text: str) -> None:
    """Print at once, whatever the encoding of the log."""
    sys.stdout.buffer.write(f"{text}\n".encode())
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
