"""Part V: networks that make things."""
