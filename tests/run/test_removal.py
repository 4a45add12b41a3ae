"""What a finding's removal does to its logit, by hand."""

import math

import pytest

from shamsul_core.run.removal import Removal


def test_the_change_is_of_the_logit_and_the_probabilities_are_its_sigmoid():
    removal = Removal(logit=math.log(3), logit_without=math.log(1 / 4))
    assert removal.change == pytest.approx(math.log(12))
    assert (removal.probability, removal.probability_without) == pytest.approx((3 / 4, 1 / 5))


@pytest.mark.parametrize(
    ("logit", "without", "was_used"), [(2.0, 1.7, True), (2.0, 1.8, False), (2.0, 3.0, False)]
)
def test_a_model_that_answers_the_same_or_more_without_a_finding_did_not_use_it(logit, without, was_used):
    assert Removal(logit, without).was_used == was_used


def test_a_logit_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        Removal(math.nan, 0.0)
