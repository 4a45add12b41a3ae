"""Heatmap to mask to score, against what experts marked."""
