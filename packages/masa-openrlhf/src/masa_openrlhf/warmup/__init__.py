"""``masa-openrlhf warmup``: a model learns the two forms it is asked in, before RL.

A model that does not answer in the form earns the same for every rollout, and RL teaches it
nothing. The warm-up shows it the form, in two supervised stages:

1. solutions: the solution prompt, and a worked solution that ends in the boxed answer;
2. predictions: the meta prompt, and an object as it asks for. Its values are those that were
   observed of the model of the first stage, dealt to other problems than they were observed on:
   what is learned is the form, and nothing of any one problem is planted.

- ``demonstrations``: a prompt and its response, as text and as tokens;
- ``worked_solutions``, ``solutions``: the first stage's;
- ``observations``, ``notions``, ``predictions``: the second stage's;
- ``sampling``: vLLM, as evaluation starts it; ``batches``, ``training``, ``worker``: the training;
- ``form_report``: how much can be read, before and after; ``command``: all of it in order.

docs/guides/warmup.md. Nothing heavy is imported before it is needed.
"""
