"""Part III: networks that see."""
