"""What is installed only for those who want it: which modules each extra of the package brings, and what mends their lack."""

from __future__ import annotations

import importlib.metadata
from importlib.util import find_spec

from shamsul_core.version import ROOT

EXTRAS = {
    "explain": ("torch", "torchvision", "captum", "lime", "shap", "skimage", "h5py", "dask", "distributed"),
    "train": ("lightning", "tensorboard"),
    "simulate": ("nibabel", "platformdirs"),
    "s3": ("s3fs",),
    "huggingface": ("transformers",),
    "timm": ("timm", "open_clip"),
    "onnx": ("onnx", "onnx2torch", "onnxruntime"),
    "keras": ("keras",),
}
"""Which modules each extra of pyproject.toml brings, as far as we import them."""


class MissingExtraError(ValueError):
    """What was asked for needs an extra that is not installed; the message says in one line what installs it."""


def is_there(extra: str) -> bool:
    """Return whether an extra is installed; it is looked for anew each time, since it may come while a server runs."""
    return not _missing(extra)


def need(extra: str) -> None:
    """Raise a `MissingExtraError` unless an extra is installed."""
    if not is_there(extra):
        raise MissingExtraError(lack_in_words(extra))


def lack_in_words(extra: str) -> str:
    """Return what of an extra is missing and the command that mends it, in one line."""
    return f"This needs {', '.join(_missing(extra))}, not installed here; install with: {remedy(extra)}"


def extra_of(module: str) -> str | None:
    """Return the extra that brings a module, ``None`` where none does.

    >>> extra_of("torch.nn"), extra_of("elsewhere")
    ('explain', None)
    """
    top = module.partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if top in modules), None)


def remedy(extra: str) -> str:
    """Return the command that installs an extra: of the installed package, else of this checkout."""
    try:
        importlib.metadata.distribution("shamsul")
    except importlib.metadata.PackageNotFoundError:
        return f'pip install "{ROOT}[{extra}]"'
    return f'pip install "shamsul[{extra}]"'


def _missing(extra: str) -> list[str]:
    return [name for name in EXTRAS[extra] if find_spec(name) is None]
