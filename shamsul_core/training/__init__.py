"""Transfer learning of DenseNet-121 on CheXpert; nothing else in the core imports it."""

from shamsul_core.training.opening import Training, open_training
from shamsul_core.training.settings import Settings, TrainingError
from shamsul_core.training.train import Outcome, train

__all__ = ["Outcome", "Settings", "Training", "TrainingError", "open_training", "train"]
