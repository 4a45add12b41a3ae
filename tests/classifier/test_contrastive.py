"""Vision-language models asked with prompts, held against the libraries' own zero-shot classification."""

from __future__ import annotations

import json
import socket

import pytest
import torch

from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier
from shamsul_core.explain import Failure
from shamsul_core.heatmap import Heatmap
from tests.classifier.formats import assert_same_probabilities, explained, written
from tests.made import made_pixels

PROMPTS = """
[Edema]
positive = "edema"
negative = "no edema"

[Pacemaker]
positive = ["a pacemaker", "pacemaker leads"]
negative = "no pacemaker"
"""
WORDS = ["edema", "no", "a", "pacemaker", "leads"]


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "prompts.toml"
    path.write_text(PROMPTS)
    return str(path)


def tiny_clip(folder):
    """A CLIP of two layers with a vocabulary of words, as transformers writes it."""
    import transformers

    text = {"vocab_size": 16, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 2, "max_position_embeddings": 12, "bos_token_id": 0, "eos_token_id": 1}
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision |= {"image_size": 32, "patch_size": 8}
    torch.manual_seed(0)
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    model = transformers.CLIPModel(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=0.2)
        # What is the same for every picture says nothing
        model.vision_model.embeddings.class_embedding.zero_()
        model.vision_model.embeddings.position_embedding.weight.zero_()
    model.save_pretrained(folder)
    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    vocabulary |= {f"{word}</w>": 2 + index for index, word in enumerate(WORDS)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    spelt = [[*word[:-1], f"{word[-1]}</w>"] for word in WORDS]
    merges = [f"{''.join(word[:end])} {word[end]}" for word in spelt for end in range(1, len(word))]
    pieces = {piece for merge in merges for piece in (*merge.split(), merge.replace(" ", ""))}
    for piece in sorted(pieces - vocabulary.keys()):
        vocabulary[piece] = len(vocabulary)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    tokenizer = transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    return model, tokenizer


@pytest.mark.slow
def test_clip_answers_as_its_own_softmax_over_both_prompts(tmp_path, prompts):
    import transformers

    folder = tmp_path / "clip"
    folder.mkdir()
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    model, tokenizer = tiny_clip(folder)
    tokenizer.save_pretrained(folder)
    transformers.CLIPImageProcessor(**size).save_pretrained(folder)
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    tokens = tokenizer(["edema", "no edema"], padding=True, return_tensors="pt")
    assert tokens["input_ids"].max() < 16, "the words of the vocabulary alone"

    def probabilities(picture):
        with torch.inference_mode():
            pixels = processor(images=picture, return_tensors="pt")
            return model(**tokens, **pixels).logits_per_image.softmax(-1)[0, :1].numpy()

    classifier = load_classifier(ModelSource(model=str(folder), prompts=prompts))
    assert classifier.pathologies == ("Edema", "Pacemaker")
    files = written(tmp_path)
    only_first = type(
        "First", (), {"predict": lambda _, pixels: {"Edema": classifier.predict(pixels)["Edema"]}}
    )
    assert_same_probabilities(only_first(), files, probabilities)
    outcomes = explained(classifier, made_pixels())
    assert isinstance(outcomes["gradcam"], Heatmap), outcomes["gradcam"]
    assert isinstance(outcomes["shap"], Heatmap), outcomes["shap"]
    assert isinstance(outcomes["lime"], Heatmap), outcomes["lime"]
    assert outcomes["gradcam"].values.shape == (4, 4)
    assert isinstance(outcomes["lrp"], Failure)


def test_siglip_answers_as_the_softmax_over_both_of_its_prompts(tmp_path, prompts):
    import tokenizers
    import transformers

    tiny = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = tiny | {"vocab_size": 16, "max_position_embeddings": 8, "projection_size": 32}
    text |= {"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0}
    torch.manual_seed(0)
    config = transformers.SiglipConfig(
        text_config=text, vision_config=tiny | {"image_size": 32, "patch_size": 8}
    )
    model = transformers.SiglipModel(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=0.2)
        model.vision_model.embeddings.position_embedding.weight.zero_()
        model.logit_scale.fill_(2.5)
    folder = tmp_path / "siglip"
    model.save_pretrained(folder)
    words = tokenizers.models.WordLevel({"pad": 0, **{word: 1 + i for i, word in enumerate(WORDS)}}, "pad")
    made = tokenizers.Tokenizer(words)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="pad",  # noqa: S106
        model_max_length=8,
        model_input_names=["input_ids"],
    )
    tokenizer.save_pretrained(folder)
    transformers.SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    tokens = tokenizer(["edema", "no edema"], padding="max_length", return_tensors="pt")

    def probabilities(picture):
        with torch.inference_mode():
            pixels = processor(images=picture, return_tensors="pt")
            return model(**tokens, **pixels).logits_per_image.softmax(-1)[0, :1].numpy()

    classifier = load_classifier(ModelSource(model=str(folder), prompts=prompts))
    only_first = type(
        "First", (), {"predict": lambda _, pixels: {"Edema": classifier.predict(pixels)["Edema"]}}
    )
    assert_same_probabilities(only_first(), written(tmp_path), probabilities)
    gradcam = explained(classifier, made_pixels())["gradcam"]
    assert isinstance(gradcam, Heatmap), gradcam
    assert gradcam.values.shape == (4, 4)


def test_open_clip_answers_as_its_own_softmax_over_both_prompts(tmp_path, prompts):
    import open_clip

    folder = tmp_path / "open"
    folder.mkdir()
    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    torch.manual_seed(0)
    model = open_clip.CLIP(**config).eval()
    with torch.no_grad():
        model.logit_scale.fill_(1.45)
        model.visual.class_embedding.zero_()
        model.visual.positional_embedding.zero_()
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=0.5 * weight[0].numel() ** -0.5)
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    seen = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28], "interpolation": "bicubic"}
    stored = {"model_cfg": config, "preprocess_cfg": seen | {"resize_mode": "shortest"}}
    (folder / "open_clip_config.json").write_text(json.dumps(stored))
    loaded, transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(["edema", "no edema"])

    def probabilities(picture):
        with torch.inference_mode():
            image, text, scale = loaded(transform(picture)[None], tokens)[:3]
            return (scale * image @ text.T).softmax(-1)[0, :1].numpy()

    classifier = load_classifier(ModelSource(model=str(folder), prompts=prompts))
    only_first = type(
        "First", (), {"predict": lambda _, pixels: {"Edema": classifier.predict(pixels)["Edema"]}}
    )
    assert_same_probabilities(only_first(), written(tmp_path), probabilities)
    assert isinstance(explained(classifier, made_pixels())["shap"], Heatmap)


BIOMED = "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract"


def tiny_biomedclip(folder, text_model):
    """As BiomedCLIP's folder: timm's ViT, a BERT by its name alone, and the BERT's tokenizer; much smaller."""
    import open_clip
    import transformers

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    tokenizer = transformers.BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=16)
    tokenizer.save_pretrained(folder)
    bert = {"vocab_size": 16, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    bert |= {"num_attention_heads": 2, "max_position_embeddings": 16}
    transformers.BertConfig(**bert).save_pretrained(folder)
    text = {"hf_model_name": text_model, "hf_tokenizer_name": text_model, "hf_proj_type": "mlp"}
    text |= {"hf_pooler_type": "cls_last_hidden_state_pooler", "context_length": 16}
    vision = {"timm_model_name": "test_vit", "timm_pool": "", "timm_proj": "linear", "image_size": 32}
    config = {"embed_dim": 16, "vision_cfg": vision, "text_cfg": text}
    seen = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28], "interpolation": "bicubic"}
    stored = {"model_cfg": config, "preprocess_cfg": seen | {"resize_mode": "shortest"}}
    (folder / "open_clip_config.json").write_text(json.dumps(stored))
    torch.manual_seed(0)
    local = text | {"hf_model_name": str(folder), "hf_model_pretrained": False}
    model = open_clip.CustomTextCLIP(**config | {"text_cfg": local}).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=weight[0].numel() ** -0.5)
        for name in ("cls_token", "pos_embed"):
            getattr(model.visual.trunk, name).zero_()
        model.logit_scale.fill_(2.0)
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")


@pytest.mark.slow
def test_biomedclip_needs_no_more_than_its_folder(tmp_path, prompts, monkeypatch):
    """Held against open_clip, which reads the text model's configuration without a network where its name is a path."""
    import open_clip

    def asked(*arguments, **_named):
        raise AssertionError(arguments)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    tiny_biomedclip(tmp_path / "theirs", str(tmp_path / "theirs"))
    tiny_biomedclip(tmp_path / "ours", BIOMED)
    loaded, transform = open_clip.create_model_from_pretrained(f"local-dir:{tmp_path / 'theirs'}")
    tokens = open_clip.get_tokenizer(f"local-dir:{tmp_path / 'theirs'}")(["edema", "no edema"])

    def probabilities(picture):
        with torch.inference_mode():
            image, text, scale = loaded.eval()(transform(picture)[None], tokens)[:3]
            return (scale * image @ text.T).softmax(-1)[0, :1].numpy()

    source = ModelSource(model=str(tmp_path / "ours"), prompts=prompts)
    classifier = load_classifier(source)
    only_first = type(
        "First", (), {"predict": lambda _, pixels: {"Edema": classifier.predict(pixels)["Edema"]}}
    )
    assert_same_probabilities(only_first(), written(tmp_path), probabilities)
    outcomes = explained(classifier, made_pixels())
    assert isinstance(outcomes["gradcam"], Heatmap), outcomes["gradcam"]
    assert isinstance(outcomes["shap"], Heatmap), outcomes["shap"]
    beside = json.loads((tmp_path / "ours" / "config.json").read_text())
    within = tmp_path / "ours" / BIOMED
    within.mkdir(parents=True)
    (tmp_path / "ours" / "config.json").rename(within / "config.json")
    assert load_classifier(source).fingerprint == classifier.fingerprint
    (within / "config.json").write_text(json.dumps(beside | {"auto_map": {"AutoModel": "x.Y"}}))
    with pytest.raises(ModelError, match="code of its own, which is not executed"):
        load_classifier(source)
    (within / "config.json").unlink()
    with pytest.raises(ModelError, match=r"put that model's config\.json beside open_clip_config\.json"):
        load_classifier(source)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("Edema = 3", "'Edema' has no positive prompt"),
        ('[Edema]\npositive = "x"', "'Edema' has no negative prompt"),
        ("[Edema", "not a file of prompts"),
    ],
)
def test_prompts_that_are_absent_or_wrong_are_one_line(tmp_path, text, words):
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "config.json").write_text('{"model_type": "clip"}')
    (tmp_path / "prompts.toml").write_text(text)
    with pytest.raises(ModelError, match="has to be asked; give --prompts"):
        load_classifier(str(tmp_path / "clip"))
    source = ModelSource(model=str(tmp_path / "clip"), prompts=str(tmp_path / "prompts.toml"))
    with pytest.raises(ModelError, match=words):
        load_classifier(source)
