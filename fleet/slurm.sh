#!/usr/bin/env bash
# A sweep as an array of Slurm jobs, each task one shard. The folder is one that all nodes see:
#
#   export SEEDS=0..1000000 SHARDS=16 REPORTS=/shared/sweep
#   job=$(sbatch --parsable --array="1-$SHARDS" fleet/slurm.sh)
#   sbatch --dependency="afterany:$job" --wrap "gatecrash merge $REPORTS/* --report $REPORTS.merged"
#
# The merge is red where a task is missing, was killed or found something. A killed task is put back by `scontrol requeue` and
# begins anew: its report says until then that it is not at its end. One that is lost is run again by `sbatch --array=7`, which
# is why the number of shards is told and not asked of Slurm. For a night give NIGHT=$(date -u +%F) in the place of SEEDS, once
# for all tasks: those that start behind midnight belong to the same night.
#SBATCH --job-name=gatecrash
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
set -euo pipefail
shard=$SLURM_ARRAY_TASK_ID
seeds=(--seeds "${SEEDS:-}")
[[ -z ${NIGHT:-} ]] || seeds=(--nightly "$NIGHT")
exec "${GATECRASH:-gatecrash}" sweep "${seeds[@]}" --shard "$shard/$SHARDS" --report "$REPORTS/$shard" \
    --jobs "${SLURM_CPUS_PER_TASK:-1}"
