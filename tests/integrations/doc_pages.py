"""The examples of the pages, as they stand there."""

import re

from tests.integrations.stack_environments import ROOT


def read_code_blocks(page, language="python"):
    """Every block of a language on docs/guides/stacks/PAGE.md, in order."""
    text = (ROOT / "docs" / "guides" / "stacks" / f"{page}.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
