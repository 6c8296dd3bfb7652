#!/usr/bin/env bash
# The experiment in short at 128 px, on a GPU machine that reaches no network.
#
#   benchmarks/gpu/experiment.sh wheels    where there is a network: fetch what that machine lacks
#   benchmarks/gpu/experiment.sh [ARGUMENT...]   there: measure; arguments are those of gpu_experiment.py
#
# It draws scenes on all cores, then prints what a step takes, how long the GPU waits for batches, and
# how much of its memory is used. Where a step takes more than 60 ms (--most-ms) it ends there, with 3;
# else it trains a short stage 0 and three arms side by side. --tiny does all of it on a CPU in 20 s,
# and only this form was run so far: no GPU was available.
#
# That machine has Python 3.12 with torch 2.9 or later (CUDA), tensorboard, numba, pyarrow, Pillow,
# PyYAML, fsspec, rich and scipy; Ray is not needed. PYTHON and PYTHON_VERSION name another one.
# Results go to OUT (default: build/gpu). Ends within 8 minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PYTHON=${PYTHON:-python3}
WHEELS=${WHEELS:-.whl}
OUT=${OUT:-build/gpu}

if [[ "${1:-}" == wheels ]]; then
    packages=(braceexpand isal msgspec orjson pycocotools pydantic pydantic-core annotated-types
        typing-inspection simplejpeg)
    platforms=()
    for glibc in 2_28 2_27 2_24 2_17 2_12 2_5; do
        platforms+=(--platform "manylinux_${glibc}_x86_64")
    done
    "$PYTHON" -m pip download --quiet --no-deps --only-binary=:all: \
        --python-version "${PYTHON_VERSION:-3.12}" --implementation cp \
        "${platforms[@]}" --platform manylinux2014_x86_64 \
        --constraint constraints.txt --dest "$WHEELS" "${packages[@]}"
    du -sh "$WHEELS"
    exit
fi

mkdir -p "$OUT"
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
if compgen -G "$WHEELS/*.whl" > /dev/null; then
    "$PYTHON" -m pip install --quiet --no-index --no-deps --no-compile --target "$site" "$WHEELS"/*.whl
fi
export PYTHONPATH="$PWD:$site${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1

nvidia-smi --query-gpu=name,driver_version --format=csv,noheader || echo "no GPU here" >&2
timeout 450 "$PYTHON" benchmarks/gpu_experiment.py --json "$OUT/experiment.json" "$@"
