"""The network, its preprocessing, and where its weights come from.

Nothing is imported here: a page that shows a model's card loads no torch.
"""
