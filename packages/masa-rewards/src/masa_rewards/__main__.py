"""`python -m masa_rewards score FILE.jsonl`: how aware is a model of its own rollouts?"""

import sys

from masa_rewards.score.cli import main

if __name__ == "__main__":
    sys.exit(main())
