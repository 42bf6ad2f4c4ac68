#!/bin/sh
# What every container starts with: DAGSTER_HOME is a volume, which keeps the dagster.yaml of the
# image before this one. On Kubernetes it is a ConfigMap, and stays.
set -eu
config="$DAGSTER_HOME/dagster.yaml"
if [ ! -e "$config" ] || [ -w "$config" ]; then
    cp "$PROJECT_ROOT/.dagster/dagster.yaml" "$config.$$"
    mv "$config.$$" "$config"
fi
exec "$@"
