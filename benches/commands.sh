#!/usr/bin/env bash
# Whole commands, from the start of the process to its end: medians in milliseconds, and what
# each takes beyond the mere start of the process (`seatrial --version`).
#
#   benches/commands.sh [runs of each, 21 if not said]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-21}
cargo build --release --quiet
seatrial="${CARGO_TARGET_DIR:-target}/release/seatrial"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The median time of a command in microseconds.
median() {
    for ((i = 0; i < runs; i++)); do
        local begin=$EPOCHREALTIME
        "$@" >/dev/null 2>&1 || [ $? -eq 1 ] # 1: an assertion failed, as some scenarios show
        local end=$EPOCHREALTIME
        echo $((${end/[.,]/} - ${begin/[.,]/}))
    done | sort -n | sed -n "$(((runs + 1) / 2))p"
}

row() {
    local name=$1 us
    shift
    us=$(median "$@")
    awk -v name="$name" -v us="$us" -v start="$start" \
        'BEGIN { printf "%-46s %8.1f ms %8.1f ms beyond the start\n", name, us / 1000, (us - start) / 1000 }'
}

start=$(median "$seatrial" --version)
awk -v us="$start" 'BEGIN { printf "the start of the process: %.1f ms\n", us / 1000 }'
small=scenarios/rollouts/rollout-baseline
row "run $small" "$seatrial" run "$small"
row '  … with a picture' "$seatrial" run "$small" --plot "$scratch/picture.svg"
row '  … with its trace' "$seatrial" run "$small" --trace "$scratch/trace.jsonl"
row 'plot of that trace' "$seatrial" plot "$scratch/trace.jsonl" -o "$scratch/again.svg"
row 'conformance, the Deployment group' "$seatrial" conformance tests/conformance/cases/deployment
