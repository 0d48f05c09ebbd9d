#!/usr/bin/env bash
# Runs test suites one after the other, each with a given Node, and ends with `N passed, N failed` over all.
# Arguments: MODE:NODE, where MODE is a mode of vitest.config.ts and NODE the program to run it with.
set -u
cd "$(dirname "$0")/../.."

results=.cache/test-results
rm -rf "$results"
mkdir -p "$results"

passed=0
failed=0
number=0
for suite in "$@"; do
  mode=${suite%%:*}
  node=${suite#*:}
  counts="$results/$((++number)).counts"
  printf '\n== %s tests on Node %s\n' "$mode" "$("$node" --version)"
  PATH="$(dirname "$(command -v "$node")"):$PATH" TEST_COUNTS_FILE="$counts" \
    "$node" node_modules/vitest/vitest.mjs run --mode "$mode" </dev/null
  status=$?
  run_passed=0
  run_failed=0
  if [ -f "$counts" ]; then read -r run_passed run_failed <"$counts"; fi
  # A run that ended badly without a count of its failures, or that ran nothing, has failed all the same.
  if [ "$run_failed" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$run_passed" -eq 0 ]; }; then run_failed=1; fi
  passed=$((passed + run_passed))
  failed=$((failed + run_failed))
done

printf '\n%d passed, %d failed\n' "$passed" "$failed" | tee "$results/summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
