"""The network, its preprocessing, and where its weights come from."""

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.weights import ModelError, load_classifier, save_classifier, untrained_classifier

__all__ = ["Classifier", "ModelError", "load_classifier", "save_classifier", "untrained_classifier"]
