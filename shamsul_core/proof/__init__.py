"""Tests of the explanation methods, one a file: pure functions of a classifier, a radiograph and maps that return figures.

What each figure means, where it comes from and which way is better stands in `shamsul_core.proof.catalogue`, which needs
no torch.
"""
