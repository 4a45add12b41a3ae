"""What readers think of explanations: asked, stored, and held against each other."""

from shamsul_core.reviews.case import Case, Circumstances, run_key
from shamsul_core.reviews.database import ReviewsError
from shamsul_core.reviews.questions import ALONE, CASE, QUESTIONS, WITH_MAPS, Question, Step
from shamsul_core.reviews.store import Reviews

__all__ = [
    "ALONE",
    "CASE",
    "QUESTIONS",
    "WITH_MAPS",
    "Case",
    "Circumstances",
    "Question",
    "Reviews",
    "ReviewsError",
    "Step",
    "run_key",
]
