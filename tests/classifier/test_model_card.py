"""The model card: it travels with the model in every format, and says what is known, no more and no less."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from shamsul_core.classifier.model_card import NEVER_REAL, UNKNOWN, ModelCard, read_card
from shamsul_core.classifier.weights import ModelError, load_classifier, save_classifier, untrained_classifier
from shamsul_core.figures.html.model_card import model_card_html
from shamsul_core.figures.scene.notes import banner
from shamsul_core.run import Run
from shamsul_core.run.model import card_of_run
from shamsul_core.run.provenance import describe_model
from shamsul_core.training import Settings, open_training, train

pytestmark = pytest.mark.slow

DEMONSTRATION = Path(__file__).parents[2] / "assets" / "demo"
DEMONSTRATIONS_TENSORS = "819795fb675ca51ea4d125d1acef1ff0aacd107d94a497abf001760040066f13"
CARD = ModelCard(trained_on="40 radiographs of nobody", not_for="anything", is_simulated=True)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("cards") / "model.safetensors"
    save_classifier(replace(untrained_classifier(3), card=CARD), path, dtype=torch.float16)
    return path


def test_the_demonstrations_model_says_that_it_never_saw_a_real_radiograph():
    card = read_card(str(DEMONSTRATION / "model.safetensors"))
    assert card.is_simulated
    assert "simulated from one chest CT" in card.trained_on
    assert "any real radiograph" in card.not_for
    assert card_of_run(Run.open(DEMONSTRATION / "run")) == card


def test_the_demonstrations_weights_are_those_that_its_run_was_made_with():
    path = DEMONSTRATION / "model.safetensors"
    digest = hashlib.sha256()
    with safe_open(path, framework="np") as file:
        for name in sorted(file.keys()):
            digest.update(name.encode() + file.get_tensor(name).tobytes())
    assert digest.hexdigest() == DEMONSTRATIONS_TENSORS
    assert (
        load_classifier(str(path)).fingerprint
        == Run.open(DEMONSTRATION / "run").manifest.model["fingerprint"]
    )


def test_a_card_is_saved_and_loaded_and_changes_no_fingerprint(saved):
    loaded = load_classifier(str(saved))
    assert loaded.card == CARD
    assert describe_model(loaded)["card"] == CARD.to_json()
    plain = saved.with_name("plain.safetensors")
    save_classifier(replace(loaded, card=None), plain, dtype=torch.float16)
    assert load_classifier(str(plain)).card is None
    assert load_classifier(str(plain)).fingerprint == loaded.fingerprint
    assert describe_model(load_classifier(str(plain)))["card"] is None


def test_another_format_has_its_card_in_its_sidecar(tmp_path):
    path = tmp_path / "model.pt"
    torch.save(untrained_classifier().network.state_dict(), path)
    described = {
        "architecture": "densenet121",
        "pathologies": list(untrained_classifier().pathologies),
        "card": {"trained_on": "CheXpert, 223,414 radiographs", "not_for": "children"},
    }
    (tmp_path / "model.json").write_text(json.dumps(described), encoding="utf-8")
    expected = ModelCard(trained_on="CheXpert, 223,414 radiographs", not_for="children")
    assert load_classifier(str(path)).card == read_card(str(path)) == expected


@pytest.mark.parametrize("card", ["words", {"not_for": "x"}, {"trained_on": " "}, {"trained_on": 3}])
def test_a_damaged_card_is_named(saved, tmp_path, card):
    (tmp_path / "model.json").write_text(
        json.dumps({"architecture": "densenet121", "pathologies": ["Edema"], "card": card}), encoding="utf-8"
    )
    with pytest.raises(ValueError, match="a model card is"):
        read_card(str(tmp_path / "model.pt"))
    path = tmp_path / "model.safetensors"
    path.write_bytes(saved.read_bytes().replace(b"trained_on", b"trainedXon"))
    (tmp_path / "model.json").unlink()
    with pytest.raises(ModelError, match="its model card cannot be read"):
        load_classifier(str(path))


def test_what_torchxrayvision_documents_is_known_of_its_weights():
    card = read_card("torchxrayvision:densenet121-res224-chex")
    assert "CheXpert" in card.trained_on
    assert not card.is_simulated
    assert "PadChest" in read_card("torchxrayvision:densenet121-res224-all").trained_on
    assert read_card("torchxrayvision:resnet9000") is None
    assert read_card("untrained") is None
    assert read_card("nowhere/model.safetensors") is None


def simulated(cohort):
    (cohort / "CheXpert" / "SIMULATED.txt").write_text("Simulated from CT, not a patient.", encoding="utf-8")
    return cohort


def test_a_training_on_simulated_radiographs_says_so_by_itself(small_cohort, tmp_path):
    settings = Settings(init="random", size_px=32, batch_size=4)
    out = tmp_path / "first.safetensors"
    real = open_training(small_cohort, tmp_path / "real.safetensors", settings).card
    assert not real.is_simulated
    assert real.trained_on.endswith("training set, 8 radiographs")
    simulated(small_cohort)
    train(open_training(small_cohort, out, settings, trained_on="eight squares"), epochs=1)
    card = load_classifier(str(out)).card
    assert card.is_simulated
    assert card.trained_on == "eight squares"
    assert "any real radiograph" in card.not_for
    again = replace(settings, init=str(out))
    assert open_training(small_cohort, tmp_path / "b.safetensors", again).card.is_simulated
    plain = tmp_path / "plain.safetensors"
    save_classifier(replace(load_classifier(str(out)), card=None), plain)
    unknown = open_training(small_cohort, tmp_path / "c.safetensors", replace(settings, init=str(plain))).card
    assert not unknown.is_simulated, "nobody knows what its first weights saw"
    assert "nothing is known about plain.safetensors" in unknown.trained_on


@pytest.fixture
def small_cohort(tmp_path):
    from tests.training.cohorts import write_split

    write_split(tmp_path / "cohort", "train", 8)
    return write_split(tmp_path / "cohort", "val", 4, first=101)


def test_the_page_says_the_card_before_all_and_lets_nothing_of_it_become_markup():
    told = model_card_html(CARD, "<b>model</b>")
    assert NEVER_REAL in told
    assert "40 radiographs of nobody" in told
    assert "Not for: anything." in told
    assert "&lt;b&gt;model" in told
    known = model_card_html(replace(CARD, is_simulated=False, trained_on="<script>"), "m")
    assert NEVER_REAL not in known
    assert "<script>" not in known
    assert UNKNOWN in model_card_html(None, "m")


def test_the_banner_of_real_radiographs_under_a_simulated_model_says_it(made_run):
    manifest = made_run.manifest
    model = dict(manifest.model) | {"card": CARD.to_json()}
    real = Run(made_run.folder, replace(manifest, model=model))
    assert NEVER_REAL in banner(real)
    cohort = dict(manifest.cohort) | {"simulated": "Simulated."}
    assert banner(Run(made_run.folder, replace(manifest, model=model, cohort=cohort))) == "Simulated."
    assert banner(made_run) is None
    assert card_of_run(made_run) is None


def test_reading_a_card_does_not_import_torch():
    code = (
        "import sys; from shamsul_core.classifier.model_card import read_card; "
        f"assert read_card({str(DEMONSTRATION / 'model.safetensors')!r}); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
