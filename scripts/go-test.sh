#!/bin/sh
# Runs all Go tests once: the packages where goroutines meet with the race detector, where a C compiler makes that
# possible, the others without. With ORQ_TEST_LOG set, every test's outcome is written to that file.
set -u
cd "$(dirname "$0")/.." || exit 1

engine='/(worker|scheduler|api)(/|$)|/pkg/(dispatch|egress|lifecycle|local|postgres|queue|telemetry)(/|$)'
everything=$(go list ./...) || exit 1
# The two that take longest come first, and so beside each other.
raced=$(echo "$everything" | grep -E "$engine" | awk '{ print /\/(api|worker)$/ ? 0 : 1, $0 }' | sort -s -k1,1 | cut -d' ' -f2)
plain=$(echo "$everything" | grep -vE "$engine")

compiler=$(go env CC)
if ! command -v "${compiler%% *}" >/dev/null; then
  echo 'SKIP race detector: no C compiler was found (try: apt install gcc libc6-dev)'
  plain=$everything
  raced=
fi

# run tests the packages in $1 with the further arguments.
run() {
  packages=$1
  shift
  [ -n "$packages" ] || return 0
  if [ -z "${ORQ_TEST_LOG:-}" ]; then
    # shellcheck disable=SC2086 # one word per package
    go test "$@" $packages
    return
  fi
  part=$(mktemp)
  # shellcheck disable=SC2086 # one word per package
  go test -v "$@" $packages >"$part" 2>&1
  status=$?
  cat "$part" >>"$ORQ_TEST_LOG"
  if [ "$status" -eq 0 ]; then
    grep -E '^(ok|FAIL)|^--- SKIP|SKIP:' "$part"
  else
    grep -vE '^(=== |[[:space:]]*--- PASS|PASS$)' "$part"
  fi
  rm -f "$part"
  return "$status"
}

failed=0
run "$plain" || failed=1
export CGO_ENABLED=1 # the race detector is written in C
run "$raced" -race || failed=1
exit "$failed"
