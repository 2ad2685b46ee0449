"""Part IV: order matters."""
