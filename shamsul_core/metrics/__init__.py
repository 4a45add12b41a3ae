"""How well a mask finds what the experts marked."""
