"""How well a classifier predicts: discrimination, calibration, decisions."""
