"""Part II: finding the weights."""
