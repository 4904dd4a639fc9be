"""The rewards in other training stacks: one small file a stack.

None imports its stack when it is imported. `samples` is what they share: it takes a mixed batch of
solution and meta rollouts, in any order, joins them by problem and rewards each.
"""
