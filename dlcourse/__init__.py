"""The package of *Introduction to Neural Networks and Deep Learning*.

Each module belongs to the chapter of the same name and is written to be read and copied:
``dlcourse.neuron.perceptron`` is the code of ``book/neuron/perceptron.md``.
Nothing is imported here, so ``import dlcourse`` costs nothing; import the module you need::

    from dlcourse.neuron import perceptron
"""

__version__ = "0.1.0"
