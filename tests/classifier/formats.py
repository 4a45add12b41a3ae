"""What the tests of all formats share: two radiographs in files, and every method's answer in few passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import torch
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.explain import Subject, explain_subject, make_explainers
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.imaging.reading import read_radiograph
from tests.made import made_pixels


def written(folder: Path) -> list[Path]:
    """Two unlike radiographs, the one taller, the other wider than a square, as PNG and as DICOM of 8 bits."""
    first, second = made_pixels(121, 100), 255 - made_pixels(90, 133)[:, ::-1] // 2
    for name, pixels in (("a", first), ("b", second)):
        Image.fromarray(pixels).save(folder / f"{name}.png")
        write_dicom(folder / f"{name}.dcm", pixels)
    return [folder / name for name in ("a.png", "b.png", "a.dcm", "b.dcm")]


def write_dicom(path: Path, pixels: np.ndarray) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.Modality, file.PhotometricInterpretation = "DX", "MONOCHROME2"
    file.Rows, file.Columns = pixels.shape
    file.SamplesPerPixel, file.PixelRepresentation = 1, 0
    file.BitsAllocated = file.BitsStored = 8
    file.HighBit = 7
    # PS3.3 C.11.2.1.2: this window leaves each value of 8 bits as it is
    file.WindowCenter, file.WindowWidth = 128, 256
    file.PixelData = pixels.tobytes()
    pydicom.dcmwrite(path, file, enforce_file_format=True)


def as_people_open_it(path: Path) -> Image.Image:
    """The picture in colours, as the libraries' own examples open it: Pillow for PNG, pydicom for DICOM."""
    if path.suffix == ".png":
        return Image.open(path).convert("RGB")
    return Image.fromarray(pydicom.dcmread(path).pixel_array).convert("RGB")


def ours(classifier, path: Path) -> np.ndarray:
    """Our probabilities of a file, in the order of the outputs."""
    return np.array(list(classifier.predict(read_radiograph(path).pixels).values()))


def assert_same_probabilities(classifier, files: list[Path], theirs) -> None:
    """`theirs` gives the library's own probabilities of a picture in colours."""
    expected = [theirs(as_people_open_it(path)) for path in files]
    assert np.ptp(expected, axis=0).max() > 0.05, expected
    for path, probabilities in zip(files, expected, strict=True):
        np.testing.assert_allclose(ours(classifier, path), probabilities, atol=1e-5)
    if isinstance(classifier, Classifier):
        assert_the_fast_copy_is_the_same(classifier, files)


def assert_the_fast_copy_is_the_same(classifier: Classifier, files: list[Path]) -> None:
    batch = torch.cat([classifier.preprocess(read_radiograph(path).pixels) for path in files])
    plain = classifier.logits(batch)
    fast = classifier.fast_network(
        batch.to(classifier.fast_dtype).contiguous(memory_format=torch.channels_last)
    )
    # bfloat16 has three digits
    share = 1e-4 if classifier.fast_dtype == torch.float32 else 0.1
    torch.testing.assert_close(fast.detach(), plain, rtol=0, atol=share * max(1.0, plain.abs().max().item()))


def explained(classifier, pixels, pathology="Edema"):
    """Outcome of each of the four methods, LIME and SHAP with few passes."""
    outcomes, subject = {}, Subject(classifier, pixels)
    for explainer in make_explainers():
        settings = explainer.settings
        if hasattr(settings, "sampling"):
            settings = replace(settings, sampling=AdaptiveSampling(first=30, step=2, budget=30))
        outcomes[explainer.name] = explain_subject(type(explainer)(settings), subject, [pathology])[0]
    return outcomes
