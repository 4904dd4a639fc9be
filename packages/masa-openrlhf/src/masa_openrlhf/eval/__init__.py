"""The paper's benchmarks, from one command: ``masa-openrlhf eval MODEL``.

- ``config``, ``settings``: the settings, and where they come from; ``command``: the command line;
  ``model_source``: what MODEL names.
- ``benchmark``: what an entry says; ``catalogue``: the nineteen entries; ``rows``, ``forms``,
  ``choices``: from a file's row to a question.
- ``engine_start``, ``replicas``, ``engine_worker``: vLLM, each copy in a process of its own.
- ``graders``: is this answer right?; ``sandbox``: where code that a model wrote runs.
- ``evaluation``: asks, grades, records; ``records``: a line a question, to read and to go on from.
- ``estimates``, ``figures``, ``comparison``, ``meta``: from records to numbers.
- ``show``, ``fragment``: numbers for people.

docs/evaluation.md says what is measured and how. Nothing heavy is imported before it is needed.
"""
