"""Attention as each library gives it away itself, and relevance brought back as whole matrices would bring it."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torchvision.models import SwinTransformer
from transformers import (
    AutoModelForImageClassification,
    DeiTConfig,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
)

from shamsul_core.classifier.huggingface import LogitsOnly
from shamsul_core.explain import Subject
from shamsul_core.explain.attention import Attention, back, record
from shamsul_core.explain.attention_relevancy import AttentionRelevancy, AttentionRelevancySettings
from shamsul_core.explain.attention_rollout import AttentionRollout, AttentionRolloutSettings
from tests.explain.networks import Pooled, classifier_of, small_transformer
from tests.made import made_pixels

INPUTS = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def torchvisions():
    network, kept = small_transformer(), []

    def ask(_module, arguments, named):
        return arguments, named | {"need_weights": True, "average_attn_weights": False}

    for module in network.modules():
        if isinstance(module, nn.MultiheadAttention):
            module.register_forward_pre_hook(ask, with_kwargs=True)
            module.register_forward_hook(lambda _module, _arguments, result: kept.append(result[1]))
    network(INPUTS)
    return small_transformer(), kept


def timms(kind="vit_tiny_patch16_224", **settings):
    def made():
        torch.manual_seed(0)
        shape = {
            "img_size": 32,
            "patch_size": 8,
            "embed_dim": 16,
            "depth": 2,
            "num_heads": 2,
            "num_classes": 3,
        }
        return timm.create_model(kind, **(shape | settings)).eval()

    network, kept = made(), []
    for module in network.modules():
        if hasattr(module, "fused_attn"):
            module.fused_attn = False
            module.attn_drop.register_forward_hook(lambda _module, given, _result: kept.append(given[0]))
    network(INPUTS)
    return made(), kept


def hugging_faces(kind=ViTConfig):
    def made(attention):
        torch.manual_seed(0)
        shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        named = [kind.__name__.replace("Config", "ForImageClassification")]
        config = kind(**shape, image_size=32, patch_size=8, num_labels=3, architectures=named)
        return AutoModelForImageClassification.from_config(config, attn_implementation=attention).eval()

    kept = made("eager")(pixel_values=INPUTS, output_attentions=True).attentions
    return LogitsOnly(made("sdpa")), kept


MADE = {
    "torchvision": torchvisions,
    "timm": timms,
    "timm, distilled": lambda: timms("deit_tiny_distilled_patch16_224"),
    "timm, patches averaged": lambda: timms(global_pool="avg", class_token=False),
    "transformers ViT": hugging_faces,
    "transformers DeiT": lambda: hugging_faces(DeiTConfig),
}
READ = {"timm, distilled": 2, "timm, patches averaged": 16}
"""How many tokens each network reads out, where it is not the class token alone."""


@pytest.mark.parametrize("name", MADE)
def test_attention_is_what_the_library_itself_gives_away_and_the_answer_stays(name):
    network, theirs = MADE[name]()
    recorded = record(network, INPUTS, "it")
    torch.testing.assert_close(recorded.logits, network(INPUTS)[0])
    assert len(recorded.blocks) == len(theirs) == 2
    for block, weights in zip(recorded.blocks, theirs, strict=True):
        torch.testing.assert_close(block.weights, weights)
    assert recorded.side == 4
    readout = recorded.readout()
    assert (readout > 0).sum() == READ.get(name, 1)
    assert readout.sum() == pytest.approx(1)
    assert (readout[0] > 0) == (name != "timm, patches averaged") or readout[0] == pytest.approx(1 / 16)


def test_attention_is_part_of_the_graph():
    recorded = record(small_transformer(), INPUTS, "it")
    gradients = torch.autograd.grad(recorded.logits[1], [block.weights for block in recorded.blocks])
    assert all(gradient.abs().max() > 0 for gradient in gradients)


@pytest.fixture(scope="module")
def swin():
    """Windows of 4 × 4 on a grid of 8 × 8, shifted in the second block; then 4 × 4 merged tokens, one window."""
    torch.manual_seed(0)
    network = SwinTransformer(
        [4, 4], embed_dim=8, depths=[2, 1], num_heads=[2, 2], window_size=[4, 4], num_classes=3
    ).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=0.6)
    return network


def whole_matrix(block: Attention) -> torch.Tensor:
    """A block's attention of every token to every other, token by token, by the definition of shifted windows."""
    averaged = block.weights.detach().mean(dim=1)
    window = int(averaged.shape[-1] ** 0.5)
    side = int(block.tokens**0.5)
    matrix = torch.zeros(block.tokens, block.tokens)
    for row in range(side):
        for column in range(side):
            up, left = (row - block.shift) % side, (column - block.shift) % side
            of = (up // window) * (side // window) + left // window
            within = (up % window) * window + left % window
            for place in range(window**2):
                other = (
                    ((up // window) * window + place // window + block.shift) % side * side
                    + ((left // window) * window + place % window + block.shift) % side
                )  # fmt: skip
                matrix[row * side + column, other] = averaged[of, within, place]
    return matrix


def test_swins_windows_are_one_attention_of_all_tokens(swin):
    recorded = record(swin, INPUTS, "it")
    torch.testing.assert_close(recorded.logits, swin(INPUTS)[0])
    assert [(block.tokens, block.shift) for block in recorded.blocks] == [(64, 0), (64, 2), (16, 0)]
    averaged = [block.weights.detach().mean(dim=1) for block in recorded.blocks]
    readout = recorded.readout()
    torch.testing.assert_close(readout, torch.full((16,), 1 / 16))
    shares = torch.rand(1, 16, generator=torch.Generator().manual_seed(1))
    ours = back(shares, recorded.blocks, averaged, keep=0.5, take=0.5)
    first, second, third = (
        0.5 * torch.eye(block.tokens) + 0.5 * whole_matrix(block) for block in recorded.blocks
    )
    merging = (
        torch.kron(torch.kron(torch.eye(4), torch.ones(1, 2)), torch.kron(torch.eye(4), torch.ones(1, 2))) / 4
    )
    torch.testing.assert_close(ours, shares @ third @ merging @ second @ first)


def test_a_masked_window_of_swin_takes_nothing_from_across_the_edge(swin):
    """That the shift is known is seen from Swin's own mask: of windows across the edge, parts do not attend to others."""
    shifted = record(swin, INPUTS, "it").blocks[1]
    places = shifted.places()
    rows = places // 8
    across = (rows[:, :, None] - rows[:, None, :]).abs() > 4
    assert across.any()
    assert shifted.weights.mean(dim=1)[across].max() < 1e-6
    assert (shifted.weights.mean(dim=1)[~across] > 1e-6).float().mean() > 0.5


def test_rollout_is_the_product_of_matrices():
    network = small_transformer()
    subject = Subject(classifier_of(network, 32), made_pixels())
    heatmaps = AttentionRollout(AttentionRolloutSettings()).explain(subject, subject.classifier.pathologies)
    product = torch.eye(17)
    for block in record(network, subject.inputs, "it").blocks:
        mixed = block.weights[0].mean(dim=0) + torch.eye(17)
        product = (mixed / mixed.sum(dim=-1, keepdim=True)) @ product
    expected = product[0, 1:].reshape(4, 4).detach()
    for heatmap in heatmaps.values():
        np.testing.assert_allclose(heatmap.values, expected, rtol=1e-4)
        assert heatmap.output is None
    assert 0 < heatmaps["Edema"].values.sum() < 1


def test_relevancy_is_chefers_update_of_whole_matrices():
    """Equations 5 and 6, as in the authors' notebook for vision transformers."""
    network = small_transformer()
    subject = Subject(classifier_of(network, 32), made_pixels())
    ours = AttentionRelevancy(AttentionRelevancySettings()).explain(subject, subject.classifier.pathologies)
    for column, heatmap in enumerate(ours.values()):
        recorded = record(network, subject.inputs, "it")
        relevance = torch.eye(17)
        for block in recorded.blocks:
            (gradient,) = torch.autograd.grad(recorded.logits[column], block.weights, retain_graph=True)
            raising = (gradient * block.weights).clamp(min=0)[0].mean(dim=0)
            relevance = relevance + raising @ relevance
        np.testing.assert_allclose(
            heatmap.values, relevance[0, 1:].reshape(4, 4).detach(), rtol=1e-3, atol=1e-7
        )
    maps = [heatmap.values for heatmap in ours.values()]
    assert not np.allclose(maps[0], maps[1])


def test_swin_is_explained_by_both(swin):
    subject = Subject(classifier_of(swin, 32), made_pixels())
    rollout = AttentionRollout(AttentionRolloutSettings()).explain(subject, ["Edema"])["Edema"].values
    assert rollout.shape == (8, 8)
    assert rollout.sum() == pytest.approx(1, rel=1e-4)
    relevancy = AttentionRelevancy(AttentionRelevancySettings()).explain(subject, ["Edema"])["Edema"].values
    assert relevancy.shape == (8, 8)
    assert relevancy.min() >= -1e-6
    assert relevancy.std() > 0


def timms_swin():
    shape = {
        "img_size": 32,
        "patch_size": 4,
        "window_size": 4,
        "embed_dim": 8,
        "depths": (2, 1),
        "num_heads": (2, 2),
    }
    return timm.create_model("swin_tiny_patch4_window7_224", num_classes=3, **shape).eval()


def hugging_faces_swin():
    shape = {
        "image_size": 32,
        "patch_size": 4,
        "window_size": 4,
        "embed_dim": 8,
        "depths": [2, 1],
        "num_heads": [2, 2],
    }
    return LogitsOnly(SwinForImageClassification(SwinConfig(num_labels=3, **shape)).eval())


@pytest.mark.parametrize("made", [timms_swin, hugging_faces_swin])
def test_other_libraries_swins_shift_and_merge_alike(made):
    torch.manual_seed(0)
    network = made()
    recorded = record(network, INPUTS, "it")
    torch.testing.assert_close(recorded.logits, network(INPUTS)[0])
    assert [(block.tokens, block.shift) for block in recorded.blocks] == [(64, 0), (64, 2), (16, 0)]
    shifted = recorded.blocks[1]
    rows = shifted.places() // 8
    across = (rows[:, :, None] - rows[:, None, :]).abs() > 4
    assert shifted.weights.mean(dim=1)[across].max() < 1e-6
    assert recorded.side == 8


@pytest.mark.parametrize("method", [AttentionRollout, AttentionRelevancy])
def test_a_network_that_does_not_attend_as_known_is_refused_in_a_line(method):
    def explain(network, size_px=32):
        subject = Subject(classifier_of(network, size_px), made_pixels())
        return method(method.presets["default"]).explain(subject, ["Edema"])

    with pytest.raises(
        ValueError, match=f"^{method.title} needs attention between patches, which Pooled has not$"
    ):
        explain(Pooled())
    torch.manual_seed(0)
    # Its attention is of channels
    xcit = timm.create_model("xcit_nano_12_p16_224", img_size=32, num_classes=3, depth=1)
    with pytest.raises(
        ValueError, match=f"^{method.title} knows attention of all patches .*; Xcit attends otherwise$"
    ):
        explain(xcit)
