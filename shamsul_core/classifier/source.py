"""What somebody asks for when they name a model: small and plain, so that workers on other machines load the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


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
        The outputs of an untrained network; CheXpert's where ``None``.
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

    def absolute(self) -> ModelSource:
        """Return the same source with the whole path of everything that lies on this machine."""
        return replace(
            self,
            model=_absolute(self.model),
            weights=None if self.weights is None else _absolute(self.weights),
            prompts=None if self.prompts is None else _absolute(self.prompts),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a plain dictionary, without what was left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ModelSource:
        """Read what `to_json` returned; what later versions add is left out."""
        known = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        names = known.get("observations")
        return cls(**known | {"observations": None if names is None else tuple(names)})


def _absolute(name: str) -> str:
    file, colon, function = name.rpartition(":")
    if file.endswith(".py"):
        return f"{Path(file).absolute()}{colon}{function}"
    return str(Path(name).absolute()) if Path(name).exists() else name
