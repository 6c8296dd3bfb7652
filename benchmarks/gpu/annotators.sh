#!/usr/bin/env bash
# Annotators on a GPU machine that reaches no network: Depth Anything V2 Small and Base, SAM ViT-B.
#
#   benchmarks/gpu/annotators.sh wheels    where there is a network: fetch what that machine lacks
#   benchmarks/gpu/annotators.sh [ARGUMENT...]   there: measure; arguments are those of annotators.py
#
# That machine has Python 3.12 with torch (CUDA), torchvision, transformers, numba, pyarrow and Pillow;
# PYTHON and PYTHON_VERSION name another one. Weights are random and pictures drawn, unless
# SGT_REAL_DATA names a folder. Results go to OUT (default: build/gpu). Ends within 8 minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PYTHON=${PYTHON:-python3}
WHEELS=${WHEELS:-.whl}
OUT=${OUT:-build/gpu}

if [[ "${1:-}" == wheels ]]; then
    packages=(braceexpand isal msgspec orjson pycocotools pydantic pydantic-core annotated-types
        typing-inspection segment-anything simplejpeg)
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
export HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1

nvidia-smi --query-gpu=name,driver_version --format=csv,noheader || echo "no GPU here" >&2
timeout 400 "$PYTHON" benchmarks/annotators.py --json "$OUT/annotators.json" "$@"
timeout 60 "$PYTHON" benchmarks/annotator_feed.py --rounds 2 --json "$OUT/annotator_feed.json"
