#!/usr/bin/env bash
# The searched network beside random cells and a single-frame control on ucf101_5, official split 1, preset cpu.
# usage: benchmarks/ucf101_5.sh DATA OUT   -- DATA: the folder ucf101_5; OUT: where the run folders go.
# Two processes of one thread each keep two cores busy. A run folder that has a result is kept.
set -euo pipefail
data=$1 out=$2
export OMP_NUM_THREADS=1
common=(--data "$data" --split 1 --preset cpu --input rgb --workers 1)
before=(--warmup 0.3 --label-smoothing 0.1) # the preset's when docs/results.md was measured

train() { # NAME GENOTYPE [MORE]
    [ -e "$out/$1/result.json" ] || vidnas train "${common[@]}" "${before[@]}" --genotype "$2" --out "$out/$1" "${@:3}"
}
searched() {
    [ -e "$out/search/genotype.json" ] || vidnas search "${common[@]}" --epochs 50 --out "$out/search"
    train searched "$out/search"
    train single-frame "$out/search" --single-frame
}
random_cells() { for seed in 0 1 2; do train "random-$seed" "random:$seed"; done; }

searched & first=$!
random_cells
wait "$first"
