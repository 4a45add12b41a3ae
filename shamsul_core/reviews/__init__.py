"""What readers think of explanations: asked, stored, and held against each other."""

from shamsul_core.reviews.questions import CASE, QUESTIONS, Question
from shamsul_core.reviews.store import Case, Reviews, ReviewsError, run_key

__all__ = ["CASE", "QUESTIONS", "Case", "Question", "Reviews", "ReviewsError", "run_key"]
