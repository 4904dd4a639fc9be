"""What a run needs of its GPUs and how long a step takes, found before anything is rented.

- ``shapes``: sizes of a model, from its config.json alone;
- ``cards``: GPUs, with memory, bandwidth and arithmetic;
- ``activations``: what a pass holds, in closed form;
- ``setup``: what is planned, and the lengths that are assumed;
- ``states``: weights, optimiser and gradients on a rank;
- ``memory``: a GPU's memory in each phase of a step;
- ``node``: host memory, shared memory and disk;
- ``speed``: a modelled step, with the assumptions that it rests on;
- ``verdict``: does it fit, and which setting to change where it does not;
- ``fit``: the settings that make the best modelled use of the cards;
- ``render``, ``command``: ``masa-openrlhf plan``.

Nothing here needs a GPU, or imports torch.
"""
