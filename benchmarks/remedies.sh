#!/usr/bin/env bash
# What makes the searched cell of benchmarks/table2.sh better? An earlier epoch, slower alpha, more channels.
# usage: benchmarks/remedies.sh OUT   -- OUT: as given to table2.sh, which has to be finished.
# One lane of one thread, about an hour; what is finished is kept.
set -euo pipefail
out=$1
export OMP_NUM_THREADS=1
clips=(--data "$out/pack" --preset cpu --size-px 48 --workers 1)

compare() { # FOLDER NETWORKS [MORE]
    vidnas compare --resume "$out/$1" "${clips[@]}" --epochs 30 --seeds 0,1,2 --networks "$2" "${@:3}"
}
[ -e "$out/slow-alpha/genotype.json" ] ||
    vidnas search --resume "$out/slow-alpha" "${clips[@]}" --epochs 50 --alpha-lr 1e-3
compare remedies "$out/searched,$out/searched/genotypes/epoch-010.json,$out/slow-alpha"
compare wider "$out/searched" --first-channels 10
