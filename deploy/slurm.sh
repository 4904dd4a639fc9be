#!/usr/bin/env bash
# Train on a Slurm cluster: Ray on every node of the job, one run on top of it.
#
#   sbatch deploy/slurm.sh --preset qwen3-8b          # flags of `masa-openrlhf train`
#   RUNS=/shared/me/seed-1 sbatch deploy/slurm.sh --preset qwen3-8b --seed 1
#
# The same command again resumes the run in $RUNS, with the flags of the first time.
# 900 s before its time limit the run writes a checkpoint, ends, and is requeued.
# `scancel --batch --signal=TERM JOB` ends it with a checkpoint, without a requeue.
#
# EDIT, here or on sbatch's command line:
#SBATCH --job-name=masa
#SBATCH --nodes=1                  # as many as cluster.nodes
#SBATCH --gpus-per-node=8          # as many as cluster.gpus_per_node
#SBATCH --cpus-per-task=64         # Ray wants a CPU for each GPU, the verifiers a few more
#SBATCH --mem=0                    # all of a node
#SBATCH --exclusive
#SBATCH --time=24:00:00
# Leave these: one Ray a node; USR1 to this script alone, so early that a checkpoint can be written on
# a slow file system; the same job number after a requeue, and the same log.
#SBATCH --ntasks-per-node=1
#SBATCH --signal=B:USR1@900
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
set -euo pipefail

# EDIT: the checkout in which `uv sync --extra cluster` was run. It, and the folder of the run, are
# under the same path on every node.
PROJECT=${PROJECT:-$SLURM_SUBMIT_DIR}
RUNS=${RUNS:-$PROJECT/runs/$SLURM_JOB_NAME}
PATH=$PROJECT/.venv/bin:$PATH

# EDIT: what the nodes are to have in their environment, such as a hub's cache that all of them see, or
# the network that NCCL is to use.
# export HF_HOME=/shared/hf
# export NCCL_SOCKET_IFNAME=ib0

say() { echo "slurm.sh: $*"; }
mkdir -p "$RUNS"

# -- told to end -----------------------------------------------------------------------------------

train='' # process id of the run
again='' # whether the job is to be put into the queue again
# shellcheck disable=SC2329  # called by the traps
pass_on() {
    say "got $1"
    if [[ $1 == USR1 ]]; then again=yes; fi
    if [[ -n $train ]]; then kill -TERM "$train" || true; else exit 143; fi
}
trap 'pass_on USR1' USR1
trap 'pass_on TERM' TERM

# -- Ray on several nodes: on one, `train` starts its own, which nobody else can reach ----------------

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
done_file=$RUNS/.ended-$SLURM_JOB_ID
workers=''
if ((${#nodes[@]} > 1)); then
    export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$RUNS/.ray-token
    if [[ ! -s $RAY_AUTH_TOKEN_PATH ]]; then
        (umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' \
            >"$RAY_AUTH_TOKEN_PATH")
    fi
    rm -f "$done_file"
    # This script runs on the first node. EDIT where its name has an address that others cannot reach.
    head=${HEAD_ADDRESS:-$(hostname --ip-address | awk '{ print $1 }')}
    export RAY_ADDRESS=$head:$((20000 + SLURM_JOB_ID % 10000))
    gpus=${SLURM_GPUS_ON_NODE:-8}
    say "Ray's head on ${nodes[0]} ($RAY_ADDRESS), workers on ${nodes[*]:1}"
    ray start --head --node-ip-address "$head" --port "${RAY_ADDRESS##*:}" --num-gpus "$gpus" \
        --include-dashboard=false --disable-usage-stats
    # Workers pay no heed to SIGTERM: a checkpoint needs them. They end with the job. srun takes neither
    # its own CPUs from sbatch (since Slurm 22.05), nor would it give a task more than one.
    # shellcheck disable=SC2016
    srun --nodes=$((${#nodes[@]} - 1)) --ntasks=$((${#nodes[@]} - 1)) --exclude="${nodes[0]}" \
        --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" \
        bash -c 'trap "" TERM
            ray start --address "$RAY_ADDRESS" --num-gpus "$0" --disable-usage-stats
            until [[ -e $1 ]]; do sleep 2; done' "$gpus" "$done_file" &
    workers=$!
    python - ${#nodes[@]} <<'PYTHON'
import sys, time, ray

wanted, patience = int(sys.argv[1]), time.monotonic() + 300
ray.init(log_to_driver=False)
while (there := sum(node["Alive"] for node in ray.nodes())) < wanted:
    if time.monotonic() > patience:
        sys.exit(f"slurm.sh: {there} of {wanted} nodes joined Ray in 300 s; ports, token, address?")
    time.sleep(1)
PYTHON
fi

# -- the run -------------------------------------------------------------------------------------------

found=("$RUNS"/*/config.json)
run=$(dirname "${found[-1]}") # names end with a date: the last is the newest
if [[ ! -e ${found[-1]} ]]; then
    flags=("$@" --runs "$RUNS")
elif grep -qs '"event": "finished"' "$run/events.jsonl"; then
    say "$run has finished; for another run, set RUNS to another folder"
    exit 0
else
    flags=(--resume "$run")
fi
say "masa-openrlhf train ${flags[*]}"
masa-openrlhf train "${flags[@]}" &
train=$!

# A signal ends `wait`, and not the run.
status=0
wait "$train" || status=$?
while kill -0 "$train" 2>/dev/null; do
    status=0
    wait "$train" || status=$?
done
say "the run ended with status $status"

if [[ -n $workers ]]; then
    touch "$done_file" # Ray's processes end with the job
    wait "$workers" || true
    rm -f "$done_file"
fi
if [[ -n $again && $status == 130 ]]; then
    say "into the queue again"
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
