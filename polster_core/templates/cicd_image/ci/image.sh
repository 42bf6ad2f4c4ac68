#!/bin/sh
# Build the image of this commit, and push it as IMAGE:COMMIT. These variables say where and as whom:
#   IMAGE                               such as registry.example.com/team/shop
#   COMMIT
#   REGISTRY_USER, REGISTRY_PASSWORD
# IMAGE:cache keeps the layers of earlier builds: new code is a small layer on top of them.
set -eu
for name in IMAGE COMMIT REGISTRY_USER REGISTRY_PASSWORD; do
    eval "value=\${$name:-}"
    case $value in
        '' | '$('*) echo "error: $name is not set" >&2 && exit 1 ;;
    esac
done
if [ ! -f uv.lock ]; then
    echo "error: there is no uv.lock: run  uv lock  and commit it" >&2
    exit 1
fi
IMAGE=$(printf '%s' "$IMAGE" | tr '[:upper:]' '[:lower:]')
case ${IMAGE%%/*} in
    *[.:]*) registry=${IMAGE%%/*} ;;
    *) registry=docker.io ;;
esac
printf '%s' "$REGISTRY_PASSWORD" | docker login --username "$REGISTRY_USER" --password-stdin "$registry"
docker buildx use polster 2>/dev/null || docker buildx create --name polster --use
docker buildx build --pull --push \
    --cache-from "type=registry,ref=$IMAGE:cache" \
    --cache-to "type=registry,ref=$IMAGE:cache,mode=max" \
    --label "org.opencontainers.image.revision=$COMMIT" --tag "$IMAGE:$COMMIT" .
echo "pushed $IMAGE:$COMMIT"
