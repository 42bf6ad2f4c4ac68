#!/bin/sh
# Check the layer rules, names, contracts and registrations, and draw reports/lineage.svg.
#
# This needs Polster itself, which the project does not depend on. Where it cannot be installed this
# step says so and passes: the project's own tests check the layer rules, too.
#
#   POLSTER   what to install: polster==0.2.0, a wheel, git+https://...
#
# Upgrades of Polster replace this file.
set -eu

polster() { uv tool run --quiet --from "$POLSTER" polster "$@"; }

if ! polster --version; then
    echo "warning: '$POLSTER' cannot be installed here: not validated, only tested"
    exit 0
fi
mkdir -p reports
polster lineage --format svg >reports/lineage.svg
if [ -n "${GITHUB_ACTIONS:-}" ]; then
    polster validate --format github
else
    polster validate
fi
