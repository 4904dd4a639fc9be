"""The paper's benchmarks, from one command: ``masa-openrlhf eval MODEL``.

- ``config``, ``settings``: the settings, and where they come from; ``command``: the command line.
- ``benchmarks``: what each of the nineteen is, and from a file's row to an item; ``questions``:
  from items to what is asked.
- ``engine``: what MODEL names, vLLM, each copy in a process of its own, and the messages to it.
- ``graders``: is this answer right?; ``sandbox``: where code that a model wrote runs.
- ``evaluation``: asks, grades, records; ``folder``: where it writes, and goes on from.
- ``results``: records, a line a question, and from records to numbers.
- ``render``: numbers for people, in a terminal, on a page and in the docs.

docs/guides/evaluation.md says what is measured and how. Nothing heavy is imported before it is
needed.
"""
