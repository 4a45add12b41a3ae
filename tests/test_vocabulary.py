"""Names of observations: what pairs by itself, what is only near, and a reader's own mapping."""

from __future__ import annotations

import pytest

from shamsul_core.pairing import MappingError, pair, read_mapping
from shamsul_core.vocabulary import (
    MS_CXR_OBSERVATIONS,
    NIH_OBSERVATIONS,
    OBSERVATIONS,
    PADCHEST_GR_OBSERVATIONS,
    TORCHXRAYVISION_OBSERVATIONS,
    VINDR_OBSERVATIONS,
    canonical_name,
    nearest_name,
)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("Effusion", "Pleural Effusion"),
        ("Pleural effusion", "Pleural Effusion"),
        ("pleural_effusion", "Pleural Effusion"),
        ("Airspace Opacity", "Lung Opacity"),
        ("Infiltrate", "Infiltration"),
        ("Pleural_Thickening", "Pleural Thickening"),
        ("Pleural thickening", "Pleural Thickening"),
        ("No finding", "No Finding"),
        ("CARDIOMEGALY", "Cardiomegaly"),
        ("Other diseases", "Other disease(s)"),
        (" a name_of one's own ", "a name of one's own"),
        ("ActiveTuberculosis", "ActiveTuberculosis"),
        ("气胸", "气胸"),
        ("", ""),
    ],
)
def test_one_name_whoever_writes_it(name, canonical):
    assert canonical_name(name) == canonical
    assert canonical_name(canonical) == canonical


def test_chexperts_names_stand_and_no_two_of_a_list_become_one():
    assert tuple(map(canonical_name, OBSERVATIONS)) == OBSERVATIONS
    for names in (
        NIH_OBSERVATIONS,
        VINDR_OBSERVATIONS,
        MS_CXR_OBSERVATIONS,
        PADCHEST_GR_OBSERVATIONS,
        TORCHXRAYVISION_OBSERVATIONS,
    ):
        assert len(set(map(canonical_name, names))) == len(names)


@pytest.mark.parametrize(
    ("name", "names", "nearest"),
    [
        ("Mass", ["Lung Opacity", "Lung Lesion", "Nodule/Mass"], "Nodule/Mass"),
        ("Lung Lesion", ["Edema", "Nodule"], "Nodule"),
        ("Pneumonia", ["Lung Opacity", "Edema"], "Lung Opacity"),
        ("Nodule", ["Mass", "Edema"], "Mass"),
        ("ActiveTuberculosis", ["Edema", "Tuberculosis"], "Tuberculosis"),
        ("Emphysem", ["Edema", "Emphysema"], "Emphysema"),
        ("Normal", list(OBSERVATIONS), "No Finding"),
        ("Support Devices", ["Edema"], None),
        ("Edema", [], None),
    ],
)
def test_what_is_near_is_offered(name, names, nearest):
    assert nearest_name(name, names) == nearest


def test_nih_and_torchxrayvision_pair_by_synonyms_alone():
    model = [canonical_name(name) for name in TORCHXRAYVISION_OBSERVATIONS]
    cohort = [canonical_name(name) for name in NIH_OBSERVATIONS]
    pairing = pair(model, cohort)
    assert [name for name, _ in pairing.pairs] == model[:14]
    assert all(name == partner for name, partner in pairing.pairs)
    assert pairing.of_model_alone == {
        "Lung Lesion": "Nodule",
        "Fracture": None,
        "Lung Opacity": "Infiltration",
        "Enlarged Cardiomediastinum": "Cardiomegaly",
    }
    assert pairing.of_cohort_alone == {}


def test_ones_own_mapping_pairs_what_is_only_near(tmp_path):
    path = tmp_path / "names.toml"
    path.write_text('[observations]\n"Mass" = "nodule/mass"\nNodule = "Nodule/Mass"\n', encoding="utf-8")
    mapping = read_mapping(path)
    assert mapping == {"Mass": "Nodule/Mass", "Nodule": "Nodule/Mass"}
    pairing = pair(["Nodule", "Edema", "Mass"], ["Nodule/Mass", "Edema", "ILD"], mapping)
    assert pairing.pairs == (("Nodule", "Nodule/Mass"), ("Edema", "Edema"), ("Mass", "Nodule/Mass"))
    assert (pairing.of_model_alone, pairing.of_cohort_alone) == ({}, {"ILD": None})
    with pytest.raises(MappingError, match="the model has no output 'Mass'; there are Nodule"):
        pair(["Nodule"], ["Nodule/Mass"], mapping)
    with pytest.raises(
        MappingError, match="the cohort does not label or mark 'Nodule/Mass'; there are Edema"
    ):
        pair(["Nodule", "Mass"], ["Edema"], mapping)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no table [observations]"),
        (b"[observations]\nMass = 3", "'Mass' must be followed by what the cohort calls it, not by 3"),
        (b"[observations", "this is not TOML"),
        (b"\xff\xfe\x00", "this is not TOML"),
        (b" " * 1_000_001, "larger than any mapping"),
        (None, "cannot be read (No such file"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_named(tmp_path, content, message):
    path = tmp_path / "names.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MappingError) as raised:
        read_mapping(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)
