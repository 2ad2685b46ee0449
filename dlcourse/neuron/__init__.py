"""Part I: one neuron, then many."""
