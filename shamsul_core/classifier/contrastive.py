"""Contrastive vision-language models: CLIP, SigLIP and BiomedCLIP, in folders of transformers or open_clip.

What is asked of an observation is which of two prompts suits the radiograph better. Its logit is the difference of the
scaled cosine similarities, s (x · p - x · n) of unit vectors, whose sigmoid is the softmax over the two prompts
(Radford et al. 2021). The text is encoded once; what remains is a fixed linear head on the image encoder, so that every
method explains it as it does other networks.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from torch import nn

from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.classifier.huggingface import SAFELY, config_of, preprocessing_of
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.prompts import Prompts, read_prompts
from shamsul_core.extras import need
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

_TRANSFORMERS = ("clip", "siglip", "siglip2", "altclip", "metaclip_2")
_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_OPEN_CLIP = "open_clip_config.json"


class PromptedNetwork(nn.Module):
    """An image encoder with a linear head made of prompts.

    Parameters
    ----------
    encoder
        N × channels × size × size in, embeddings N × D out.
    head
        C × D: for each observation its positive prompt's unit embedding less its negative one's, times the scale.
    """

    def __init__(self, encoder: nn.Module, head: torch.Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("head", head)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits N × C."""
        head = cast("torch.Tensor", self.head)
        logits: torch.Tensor = F.normalize(self.encoder(batch), dim=-1) @ head.T
        return logits


class _TransformersEncoder(nn.Module):
    def __init__(self, vision: nn.Module, projection: nn.Module) -> None:
        super().__init__()
        self.vision, self.projection = vision, projection

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        embedding: torch.Tensor = self.projection(self.vision(pixel_values=batch).pooler_output)
        return embedding


def is_transformers_clip(path: Path) -> bool:
    """Return whether a path is a folder of transformers with a contrastive model."""
    return config_of(path).get("model_type") in _TRANSFORMERS


def is_open_clip(path: Path) -> bool:
    """Return whether a path is a folder that open_clip wrote."""
    return (path / _OPEN_CLIP).is_file()


def load_transformers_clip(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of a folder of transformers, asked with prompts.

    Raises
    ------
    ModelError
        If there are no prompts, or model, tokenizer or processor cannot be loaded.
    MissingExtraError
        If transformers is not installed.
    """
    need("huggingface")
    prompts = read_prompts(source.prompts, source.model)
    from transformers import AutoModel, AutoTokenizer

    try:
        model: Any = AutoModel.from_pretrained(path, **SAFELY, dtype=torch.float32).eval()  # nosec B615
        tokenizer: Any = AutoTokenizer.from_pretrained(path, **SAFELY)  # nosec B615
    except Exception as error:
        message = f"{path}: transformers cannot load model and tokenizer ({first_line(error)[:200]})"
        raise ModelError(message) from error

    def encode(texts: Sequence[str]) -> torch.Tensor:
        # SigLIP was trained on texts of one length
        padding = "max_length" if str(model.config.model_type).startswith("siglip") else True
        tokens = tokenizer(list(texts), padding=padding, truncation=True, return_tensors="pt")
        encoded = model.text_model(
            **{name: tokens[name] for name in ("input_ids", "attention_mask") if name in tokens}
        )
        embedding: torch.Tensor = getattr(model, "text_projection", nn.Identity())(encoded.pooler_output)
        return embedding

    projection = getattr(model, "visual_projection", nn.Identity())
    return _content(
        _TransformersEncoder(model.vision_model, projection),
        _head(prompts, encode, model.logit_scale.exp()),
        prompts,
        path=path,
        architecture=type(model).__name__,
        preprocessing=preprocessing_of(path, model.config.vision_config, sidecar),
        config=config_of(path),
    )


def load_open_clip(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of a folder of open_clip, asked with prompts.

    Raises
    ------
    ModelError
        If there are no prompts, or open_clip cannot load it without a network.
    MissingExtraError
        If open_clip is not installed.
    """
    del sidecar
    need("timm")
    if not any((path / name).is_file() for name in _WEIGHTS):
        message = f"{path}: a folder of open_clip without {' or '.join(_WEIGHTS)}"
        raise ModelError(message)
    prompts = read_prompts(source.prompts, source.model)
    text = _text_of(path)
    towers = {"text_cfg": text} if text.get("hf_model_name") else {}
    import open_clip

    try:
        model = cast("Any", open_clip.create_model(f"local-dir:{path}", load_weights=True, **towers)).eval()
        tokenizer = open_clip.get_tokenizer(
            f"local-dir:{path}", **(SAFELY if text.get("hf_tokenizer_name") else {})
        )
    except Exception as error:
        message = f"{path}: open_clip cannot load model and tokenizer from the folder alone ({first_line(error)[:200]})"
        raise ModelError(message) from error
    return _content(
        model.visual,
        _head(prompts, lambda texts: model.encode_text(tokenizer(list(texts))), model.logit_scale.exp()),
        prompts,
        path=path,
        architecture=f"open_clip {type(model).__name__}",
        preprocessing=_open_clips(open_clip.get_model_preprocess_cfg(model)).to_json(),
        config=config_of(path, _OPEN_CLIP),
    )


def _text_of(path: Path) -> dict[str, Any]:
    """Return the configuration of a folder's text tower, a model of transformers by the folder of its ``config.json``.

    open_clip writes its name alone and would ask Hugging Face for its configuration; the weights lie in the folder. It is
    looked for in a folder of that name, beside open_clip's own, and in Hugging Face's cache.

    Raises
    ------
    ModelError
        If it lies nowhere, or says that code of its own is to be executed.
    """
    stored = config_of(path, _OPEN_CLIP).get("model_cfg")
    stored = stored.get("text_cfg") if isinstance(stored, dict) else None
    text: dict[str, Any] = dict(stored) if isinstance(stored, dict) else {}
    name = text.get("hf_model_name")
    if not name:
        return text
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    folders = [path / str(name), path]
    # A path is no name of theirs
    with contextlib.suppress(HFValidationError):
        cached = try_to_load_from_cache(str(name), "config.json")
        folders += [Path(cached).parent] if isinstance(cached, str) else []
    folder = next((folder for folder in folders if "model_type" in config_of(folder)), None)
    if folder is None:
        message = (
            f"{path}: its text model is {quoted(str(name))}, whose configuration lies neither there nor in Hugging Face's "
            f"cache; put that model's config.json beside {_OPEN_CLIP}"
        )
        raise ModelError(message)
    if "auto_map" in config_of(folder):
        message = f"{folder}: its config.json asks for code of its own, which is not executed"
        raise ModelError(message)
    return text | {"hf_model_name": str(folder), "hf_model_pretrained": False}


def _content(
    encoder: nn.Module,
    head: torch.Tensor,
    prompts: Sequence[Prompts],
    *,
    path: Path,
    architecture: str,
    preprocessing: Any,
    config: Any,
) -> Content:
    return Content(
        network=PromptedNetwork(encoder, head),
        name=path.name,
        architecture=architecture,
        names=[prompt.observation for prompt in prompts],
        output="sigmoid",
        preprocessing=preprocessing,
        definition=json.dumps([config, [asdict(prompt) for prompt in prompts]], sort_keys=True),
    )


@torch.no_grad()
def _head(
    prompts: Sequence[Prompts], encode: Callable[[Sequence[str]], torch.Tensor], scale: torch.Tensor
) -> torch.Tensor:
    """Return the linear head, C × D, of prompts; the unit vectors of several are averaged to a unit vector."""

    def unit(texts: Sequence[str]) -> torch.Tensor:
        return F.normalize(F.normalize(encode(texts).float(), dim=-1).mean(dim=0), dim=-1)

    rows = [unit(prompt.positive) - unit(prompt.negative) for prompt in prompts]
    return scale * torch.stack(rows)


def _open_clips(told: dict[str, Any]) -> Preprocessing:
    """Return what open_clip's transform for inference does, on Pillow's pictures."""
    size = told["size"] if isinstance(told["size"], int) else told["size"][-1]
    fits: dict[str, Any] = {"shortest": "crop", "squash": "squeeze", "longest": "pad"}
    return Preprocessing(
        size_px=size,
        mean=tuple(told["mean"]),
        std=tuple(told["std"]),
        fit=fits[told.get("resize_mode") or "shortest"],
        interpolation=told.get("interpolation") or "bicubic",
        library="pillow",
    )
