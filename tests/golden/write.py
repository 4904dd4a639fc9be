"""Write the golden files anew: ``make golden``."""

import os

# As a run on the CPU sets them, before anything of the stack is imported.
os.environ.update({"MASA_OPENRLHF_CPU": "1", "DS_ACCELERATOR": "cpu"})

from tests.golden.files import FILES, FOLDER, STACK_FILES, find_golden_path, to_json_lines

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, golden in (FILES | STACK_FILES).items():
        find_golden_path(name).write_text(to_json_lines(golden.make()), encoding="utf-8")
        print(find_golden_path(name))
