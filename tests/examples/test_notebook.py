"""The notebook runs from top to bottom, and prints what stands in it."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "know_yourself.ipynb"

# Of the packages of Jupyter, on event loops and on what a kernel listens on.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def list_outputs(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """Return what each cell of code printed, or came to."""
    return [
        [out.get("text") or out.get("data", {}).get("text/plain", "") for out in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_the_notebook_prints_what_stands_in_it() -> None:
    shown = nbformat.read(NOTEBOOK, as_version=4)
    played = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(played, timeout=300, kernel_name="python3").execute()
    expected = list_outputs(shown)
    assert sum(map(bool, expected)) >= 7
    assert list_outputs(played) == expected
