"""An external plug-in of ms-swift's that writes down every call of our reward, and what came of it.

Given after the plug-in that registers the reward: `--external_plugins plugin.py swift_record.py`.
It writes into the folder that `MASA_RECORD` names; see trl_record.py, which this borrows from.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from masa_rewards.integrations.ms_swift import MasaReward
from trl_record import record_reward_calls

record_reward_calls(MasaReward, os.environ["MASA_RECORD"])
