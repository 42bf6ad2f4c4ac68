#!/bin/sh
# Bring new code into use without stopping a run: build it, or pull what IMAGE names; let the runs
# end; replace the containers.
#   deploy/docker/update.sh [MINUTES]        how long runs may take to end, 60 unless given
set -eu
cd "$(dirname "$0")/../.."

if [ -n "${IMAGE:-}" ] || grep -qs '^IMAGE=.' .env; then
    docker compose pull code
else
    docker compose build code
fi
# Nothing is started from here on; what is requested meanwhile waits in the queue.
docker compose stop daemon
if ! docker compose exec -T code python -m polster_runtime.dagster.drain --minutes "${1:-60}"; then
    docker compose start daemon
    echo "error: the code in use is still the old one" >&2
    exit 1
fi
docker compose up -d --wait postgres
# A newer Dagster may want its tables changed.
docker compose run --rm --no-deps code dagster instance migrate
docker compose up -d --wait
