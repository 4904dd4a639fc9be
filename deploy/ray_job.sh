#!/usr/bin/env bash
# Train as a job of a Ray cluster that is up (KubeRay, `ray up`, or `ray start` on each node).
#
#   RAY_API_SERVER_ADDRESS=http://HEAD:8265 RUNS=/shared/me/runs deploy/ray_job.sh --preset qwen3-8b
#   RAY_API_SERVER_ADDRESS=http://HEAD:8265 deploy/ray_job.sh --resume /shared/me/runs/qwen3-8b-...
#
# Run where Ray's token is (RAY_AUTH_MODE=token). Nothing is uploaded: every node has masa-openrlhf[cluster]
# installed and sees $RUNS under the same path.
set -euo pipefail

# EDIT: what to run on the head, where the nodes have it elsewhere than on the PATH.
MASA=${MASA:-masa-openrlhf}
if [[ " $* " != *" --resume "* ]]; then
    set -- "$@" --runs "${RUNS:?is not set: a folder that all nodes see}"
fi

# `ray job stop` sends SIGTERM and kills 3 s later; a checkpoint takes longer.
exec ray job submit --no-wait \
    --runtime-env-json '{"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": "900"}}' \
    -- "$MASA" train "$@"
