"""Radiographs with known truth, from a real chest CT."""
