"""What somebody asks for when they name a model: small and plain, so that workers on other machines load the same."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_CODE = re.compile(r".+\.py:\w+")

UNTRAINED = "untrained"
"""The model whose weights are drawn by chance."""


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model as a command names it; what is left out is what its file says.

    Nothing here imports torch.

    Parameters
    ----------
    model
        A file or folder, ``torchxrayvision:<weights>``, ``timm:<name>``, ``FILE.py:FUNCTION`` or ``"untrained"``.
    output
        Whether the outputs are independent (``"sigmoid"``) or classes that exclude each other (``"softmax"``).
    weights
        The file of one's own weights for what ``torchxrayvision:<weights>`` or ``timm:<name>`` names.
    prompts
        The TOML file of what a vision-language model is asked, see `shamsul_core.classifier.prompts`.
    observations
        What an untrained network predicts; by default CheXpert's fourteen.
    """

    model: str
    output: Literal["sigmoid", "softmax"] | None = None
    weights: str | None = None
    prompts: str | None = None
    observations: tuple[str, ...] | None = None

    @classmethod
    def of(cls, model: str | ModelSource) -> ModelSource:
        """Return a model's name as the source that consists of it; a source as it is."""
        return model if isinstance(model, ModelSource) else cls(model=model)

    @property
    def file(self) -> str:
        """The file beside which the sidecar lies: of the weights, else the model."""
        return self.weights or self.model

    @property
    def is_code(self) -> bool:
        """Whether it is a function of somebody's own code, which is executed."""
        return is_code(self.model)

    @property
    def is_by_name(self) -> bool:
        """Whether it is known by its name, as no file or folder."""
        return self.model == UNTRAINED or (":" in self.model and not Path(self.model).exists())

    def with_files(self, place: Callable[[str], str]) -> ModelSource:
        """Return it with each file or folder that it names where `place` says."""
        paths = {"weights": self.weights, "prompts": self.prompts}
        paths["model"] = None if self.is_by_name else self.model
        moved = {name: place(path) for name, path in paths.items() if path is not None}
        if self.is_code:
            file, _, function = self.model.rpartition(":")
            moved["model"] = f"{place(file)}:{function}"
        return replace(self, **moved)  # type: ignore[arg-type]

    def absolute(self) -> ModelSource:
        """Return it as another process finds it, whatever its working folder is."""
        return self.with_files(lambda path: str(Path(path).absolute()) if Path(path).exists() else path)

    def without_folders(self) -> ModelSource:
        """Return it without the folders in which its files lie."""
        return replace(self.with_files(lambda path: Path(path).name), model=Path(self.model).name)

    def to_json(self) -> dict[str, Any]:
        """Return a plain dictionary, without what was left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ModelSource:
        """Read what `to_json` returned; what later versions add is left out."""
        known = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        if known.get("observations") is not None:
            known["observations"] = tuple(known["observations"])
        return cls(**known)


def is_code(name: str) -> bool:
    """Return whether a name is that of a function in a file, ``FILE.py:FUNCTION``.

    >>> is_code("mine.py:resnet"), is_code("mine.py"), is_code("C:/mine.pt")
    (True, False, False)
    """
    return _CODE.fullmatch(name) is not None
