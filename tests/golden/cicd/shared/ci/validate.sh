#!/bin/sh
# Check the layer rules, names, contracts and registrations, and draw reports/lineage.svg.
#
# This needs Polster itself, which the project does not depend on. Where it cannot be installed this
# step says so and passes: the project's own tests check the layer rules, too.
#
# Beside Polster it installs `required_plugins` of [tool.polster]; plugins that are files of this
# project run here, as its tests do.
#
#   POLSTER   what to install: polster==0.2.0, a wheel, git+https://...
#
# Upgrades of Polster replace this file.
set -eu

export POLSTER_TRUST_PROJECT=1
plugins=
mkdir -p reports
if grep -qs '^required[_-]plugins' pyproject.toml; then
    plugins=reports/plugins.txt
    uv run --no-sync python -c 'import tomllib
with open("pyproject.toml", "rb") as file:
    settings = tomllib.load(file)["tool"]["polster"]
for name in settings.get("required_plugins") or settings["required-plugins"]:
    print(name)' >"$plugins"
fi
polster() {
    uv tool run --quiet --from "$POLSTER" ${plugins:+--with-requirements "$plugins"} polster "$@"
}

if ! polster --version; then
    echo "warning: '$POLSTER' cannot be installed here: not validated, only tested"
    exit 0
fi
polster lineage --format svg >reports/lineage.svg
if [ -n "${GITHUB_ACTIONS:-}" ]; then
    polster validate --format github
else
    polster validate
fi
