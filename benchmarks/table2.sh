#!/usr/bin/env bash
# The paper's Table 2 on ucf101_5, official split 1: searched, random, hand-designed, all by one recipe.
# usage: benchmarks/table2.sh DATA OUT   -- DATA: the folder ucf101_5; OUT: where run folders and the table go.
# Two processes of one thread each keep two cores busy for three hours; what is finished is kept.
set -euo pipefail
data=$1 out=$2
export OMP_NUM_THREADS=1
recipe=(--data "$out/pack" --preset cpu --size-px 48 --epochs 30 --workers 1)

[ -e "$out/pack/pack.index" ] || vidnas pack --data "$data" --out "$out/pack"
[ -e "$out/searched/genotype.json" ] ||
    OMP_NUM_THREADS=2 vidnas search --resume "$out/searched" --data "$out/pack" --preset cpu --size-px 48 --epochs 50

compare() { # FOLDER NETWORKS [MORE]
    vidnas compare --resume "$out/$1" "${recipe[@]}" --networks "$2" "${@:3}"
}
cells=$out/searched,random:0,random:1,random:2
small=3d-mobilenetv2-0.45,3d-shufflenet-0.5,3d-shufflenet-1.0,x3d-xs,movinet-a0,2d-resnet-18
large=3d-resnet-18-a,3d-resnet-50,3d-resnet-101,stc-resnet-18,stc-resnet-50,stc-resnet-101

one() {
    compare one "$cells,3d-resnet-18" --seeds 0,1,2
    compare one "all-skip,best-of:5,$small" --seeds 0
    compare one "$large" --seeds 0
}
two() { compare two c3d-8 --seeds 0,1,2; }
one & first=$!
two
wait "$first"

# All rows in one table: the run folders of the second comparison beside those of the first.
cp -r "$out/two/runs/." "$out/one/runs/"
compare one "$cells,all-skip,best-of:5,3d-resnet-18,$large,c3d-8,$small" --seeds 0 --paper
