#!/bin/sh
# Commit what a Polster run produced, without ever losing anybody's work.
#
#   persist.sh collect BUNDLE [PATH ...]   pack this run's changes into a git bundle (no network, no push)
#   persist.sh push [BUNDLE ...]           replay bundles (default: the work tree) on the remote branch
#
# - never force-pushes, never resets, never rewrites history
# - the commit holds exactly what the run changed below PATH (default: data), replayed
#   on the newest remote commit; if somebody else pushed first, it tries again
# - files that .gitignore names stay out, except for snapshots: *.parquet outside of _rejected/, samples/ and hidden folders
# - uses a private index: work tree and index of the caller stay as they are
# - works in shallow clones and on a detached HEAD; needs only POSIX sh, awk and git >= 2.20
#
# Environment
#   POLSTER_BRANCH          branch to push to             (push: required)
#   POLSTER_PATHS           paths that may be committed   (default "data")
#   POLSTER_REMOTE          remote name or URL            (default origin)
#   POLSTER_ATTEMPTS        push attempts                 (default 50)
#   POLSTER_MAX_FILE_MB     refuse larger files           (default 95)
#   POLSTER_COMMIT_MESSAGE  first line                    (default "data: polster run")
#   POLSTER_PUSH_OPTIONS    e.g. "-o ci.skip" on GitLab
#   POLSTER_ON_CONFLICT     overwrite (default) or fail, when the same file changed on the remote meanwhile
#   STORAGE_BACKEND         anything but "local": nothing is committed
# Exit status: 0 done or nothing to do, 1 could not push, 2 refused or wrong usage.
set -eu
LC_ALL=C
export LC_ALL

say() { printf 'persist: %s\n' "$*"; }
die() { code=$1; shift; printf 'persist: error: %s\n' "$*" >&2; exit "$code"; }

verb=${1:-}
[ "$#" -eq 0 ] || shift
case $verb in collect | push) ;; *) die 2 "usage: persist.sh collect BUNDLE [PATH ...] | push [BUNDLE ...]" ;; esac

backend=${STORAGE_BACKEND:-local}
# shellcheck disable=SC2016  # an undefined Azure Pipelines variable arrives as the literal $(NAME)
case $backend in '$('*) backend=local ;; esac
if [ "$backend" != local ]; then
    say "storage backend is '$backend': the data lives in the cloud, nothing to commit"
    exit 0
fi

paths=${POLSTER_PATHS:-data}
max_mb=${POLSTER_MAX_FILE_MB:-95}
message=${POLSTER_COMMIT_MESSAGE:-data: polster run}

git config user.name >/dev/null || {
    export GIT_AUTHOR_NAME="${GIT_AUTHOR_NAME:-polster-bot}"
    export GIT_COMMITTER_NAME="${GIT_COMMITTER_NAME:-$GIT_AUTHOR_NAME}"
}
git config user.email >/dev/null || {
    export GIT_AUTHOR_EMAIL="${GIT_AUTHOR_EMAIL:-polster-bot@users.noreply.invalid}"
    export GIT_COMMITTER_EMAIL="${GIT_COMMITTER_EMAIL:-$GIT_AUTHOR_EMAIL}"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# collect_tree PATH... : commit the work tree's state of PATH on top of HEAD (not on any branch);
# sets $run to the commit, or to nothing when there are no changes.
collect_tree() {
    base=$(git rev-parse --verify 'HEAD^{commit}')
    GIT_INDEX_FILE=$tmp/run-index
    export GIT_INDEX_FILE
    git read-tree "$base"
    for path; do
        [ -z "$(git ls-files -- "$path" | head -n 1)" ] || git add -u -- "$path"
        [ -e "$path" ] || continue
        git ls-files -z --others --exclude-standard -- "$path" >"$tmp/new"
        git update-index -z --add --stdin <"$tmp/new"
        # Snapshots are ignored for people, not for us; what is rejected, a sample or not published yet stays here.
        find "$path" -type f -name '*.parquet' ! -path '*/_rejected/*' ! -path "$path/samples/*" ! -path '*/.*' \
            -exec git update-index --add -- {} +
    done
    tree=$(git write-tree)
    unset GIT_INDEX_FILE
    run=
    [ "$tree" = "$(git rev-parse "$base^{tree}")" ] ||
        run=$(printf '%s\n' "$message" | git commit-tree "$tree" -p "$base")
}

# changes COMMIT >FILE : "<mode> <sha><TAB>path", the input of update-index --index-info,
# limited to the allowed paths and checked.
changes() {
    # shellcheck disable=SC2086  # paths are words
    git diff-tree -r --raw --no-renames --abbrev=40 "$1^" "$1" -- $paths |
        awk -F '\t' '{ split($1, f, " "); print f[2] " " f[4] "\t" $2 }'
    # shellcheck disable=SC2086
    git diff-tree -r --no-renames --name-only --diff-filter=AM -z "$1^" "$1" -- $paths | tr '\0' '\n' |
        while IFS= read -r name; do
            case /$name in
            */.env | */.env.* | *.pem | *.key | */id_rsa* | */.dagster/*) die 2 "refusing to commit '$name'" ;;
            esac
            size=$(git cat-file -s "$1:$name")
            [ "$size" -le $((max_mb * 1024 * 1024)) ] ||
                die 2 "'$name' is $((size / 1048576)) MB, the limit is $max_mb MB: use cloud storage"
            # What a pointer of Git LFS points to would stay on this machine, and be lost with it.
            [ "$size" -gt 1024 ] || [ "$(git cat-file blob "$1:$name" | head -c 24 | tr -d '\0')" != 'version https://git-lfs.' ] ||
                die 2 "'$name' is in Git LFS, which this does not upload: take it out of .gitattributes, or use cloud storage"
        done
}

if [ "$verb" = collect ]; then
    bundle=${1:-}
    [ -n "$bundle" ] || die 2 "collect needs the name of the bundle to write"
    shift
    # shellcheck disable=SC2086
    [ "$#" -gt 0 ] || set -- $paths
    collect_tree "$@"
    if [ -z "$run" ]; then
        say "no changes below: $*"
        exit 0
    fi
    changes "$run" >"$tmp/info"
    git update-ref refs/polster/run "$run"
    git bundle create --quiet "$bundle" refs/polster/run "^$base" 2>"$tmp/log" || { cat "$tmp/log" >&2; exit 1; }
    git update-ref -d refs/polster/run
    say "packed $(wc -l <"$tmp/info" | tr -d ' ') change(s) into $bundle"
    exit 0
fi

branch=${POLSTER_BRANCH:-}
branch=${branch#refs/heads/}
[ -n "$branch" ] || die 2 "POLSTER_BRANCH is not set"
remote=${POLSTER_REMOTE:-origin}
attempts=${POLSTER_ATTEMPTS:-50}

: >"$tmp/info"
bases=
if [ "$#" -eq 0 ]; then
    # shellcheck disable=SC2086
    collect_tree $paths
    if [ -n "$run" ]; then
        changes "$run" >"$tmp/info"
        bases=$base
    fi
else
    for bundle; do
        # shellcheck disable=SC2013  # the prerequisites, one hash per line
        for base in $(sed -n '/^$/q; s/^-\([0-9a-f]*\).*/\1/p' "$bundle"); do
            git cat-file -e "$base^{commit}" 2>/dev/null || git fetch --quiet --no-tags --depth=1 "$remote" "$base" ||
                die 1 "cannot fetch $base, the commit '$bundle' starts from"
            bases="$bases $base"
        done
        git fetch --quiet "$bundle" +refs/polster/run:refs/polster/run || die 2 "'$bundle' is not a usable bundle"
        changes "$(git rev-parse refs/polster/run)" >>"$tmp/info"
        git update-ref -d refs/polster/run
    done
fi
count=$(wc -l <"$tmp/info" | tr -d ' ')
if [ "$count" -eq 0 ]; then
    say "no changes below: $paths"
    exit 0
fi
cut -f 2- "$tmp/info" | sort -u >"$tmp/mine"

n=0
same_tip=0
last_tip=
while :; do
    n=$((n + 1))
    git fetch --quiet --no-tags "$remote" "+refs/heads/$branch:refs/polster/tip" ||
        die 1 "cannot fetch branch '$branch' from '$remote'"
    tip=$(git rev-parse refs/polster/tip)
    if [ "$tip" = "$last_tip" ]; then
        same_tip=$((same_tip + 1))
        if [ "$same_tip" -ge 3 ]; then
            cat "$tmp/log" >&2
            die 1 "the push was rejected although nobody else pushed: the token lacks write access, or '$branch' is protected"
        fi
    else
        same_tip=0
    fi
    last_tip=$tip

    : >"$tmp/theirs"
    for base in $bases; do
        # shellcheck disable=SC2086
        [ "$base" = "$tip" ] || git diff-tree -r --no-renames --name-only "$base" "$tip" -- $paths >>"$tmp/theirs"
    done
    sort -u "$tmp/theirs" | comm -12 - "$tmp/mine" >"$tmp/both"
    if [ -s "$tmp/both" ]; then
        [ "${POLSTER_ON_CONFLICT:-overwrite}" = overwrite ] ||
            die 1 "also changed on '$branch' meanwhile: $(tr '\n' ' ' <"$tmp/both")"
        say "warning: this run's version replaces the one on '$branch' (which stays in the history): $(tr '\n' ' ' <"$tmp/both")"
    fi

    GIT_INDEX_FILE=$tmp/push-index
    export GIT_INDEX_FILE
    rm -f "$GIT_INDEX_FILE"
    git read-tree "$tip"
    git update-index --index-info <"$tmp/info"
    tree=$(git write-tree)
    unset GIT_INDEX_FILE
    if [ "$tree" = "$(git rev-parse "$tip^{tree}")" ]; then
        say "'$branch' already has these $count change(s)"
        exit 0
    fi
    commit=$(printf '%s [skip ci]\n\nPolster-Changes: %s\n' "$message" "$count" | git commit-tree "$tree" -p "$tip")
    # shellcheck disable=SC2086  # push options are words
    if git push ${POLSTER_PUSH_OPTIONS:-} "$remote" "$commit:refs/heads/$branch" >"$tmp/log" 2>&1; then
        say "pushed $count change(s) to '$branch' as $(git rev-parse --short "$commit"), attempt $n"
        exit 0
    fi
    [ "$n" -lt "$attempts" ] || { cat "$tmp/log" >&2; die 1 "gave up after $n attempts"; }
    say "attempt $n was rejected, trying again"
    # who has waited longest waits least, so that nobody waits for ever
    sleep "$(awk -v seed="$$$n" -v n="$n" 'BEGIN { srand(seed); printf "%.2f", rand() * (n < 8 ? 1.6 / n : 0) }')"
done
