"""The questions to a reader, and the answers there are, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

CASE = ""
"""In the place of a method: the question is about the case."""

Step: TypeAlias = Literal[1, 2]
ALONE: Step = 1
"""The first step of reading a case: the radiograph and the predicted probability alone."""
WITH_MAPS: Step = 2
"""The second step: the maps are in sight."""

Kind: TypeAlias = Literal["scale", "choice", "method", "text", "flag"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question.

    Parameters
    ----------
    name
        Under which its answers are stored.
    text
        As it is asked.
    kind
        ``"scale"``: ordered answers, stored as ``1`` to ``n``; ``"choice"``: stored as they are; ``"method"``: one of
        the run's methods; ``"text"``; ``"flag"``: ``yes`` or empty.
    answers
        In words, of a scale or a choice.
    is_per_method
        Whether it is asked of each method.
    step
        When it is asked.
    """

    name: str
    text: str
    kind: Kind
    answers: tuple[str, ...] = ()
    is_per_method: bool = False
    step: Step = WITH_MAPS

    @property
    def scale(self) -> dict[str, str]:
        """What a scale's answers are stored as, with their words."""
        return {str(number): word for number, word in enumerate(self.answers, 1)}

    def accepts(self, value: str, methods: tuple[str, ...]) -> bool:
        """Return whether a stored value is one of the question's; the empty one takes an answer back."""
        if not value or self.kind == "text":
            return True
        allowed = {
            "scale": tuple(self.scale),
            "choice": self.answers,
            "method": methods,
            "flag": ("yes",),
        }
        return value in allowed[self.kind]


_TRUST = ("not at all", "a little", "somewhat", "largely", "completely")

QUESTIONS: dict[str, Question] = {
    question.name: question
    for question in (
        Question(
            name="trust_before",
            text="How much do you trust this prediction?",
            kind="scale",
            answers=_TRUST,
            step=ALONE,
        ),
        Question(
            name="significance",
            text="How medically significant is the area it highlights?",
            kind="scale",
            answers=(
                "misleading",
                "of no significance",
                "partly significant",
                "significant",
                "exactly what matters",
            ),
            is_per_method=True,
        ),
        Question(
            name="covers",
            text="Does it cover the finding?",
            kind="choice",
            answers=("no", "partly", "wholly"),
            is_per_method=True,
        ),
        Question(
            name="beside",
            text="Does it highlight anything outside the finding?",
            kind="choice",
            answers=("no", "a little", "much"),
            is_per_method=True,
        ),
        Question(name="best", text="Which heatmap is best?", kind="method"),
        Question(
            name="trust_after",
            text="How much do you trust the prediction now?",
            kind="scale",
            answers=_TRUST,
        ),
        Question(name="comment", text="Comment", kind="text"),
        Question(name="flag", text="Discuss this case", kind="flag"),
    )
}
"""By name, in the order asked."""
