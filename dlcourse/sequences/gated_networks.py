"""Gated cells: a memory that is kept unless a gate says otherwise. LSTM, GRU and the plain cell.

A sequence has shape (n_steps, input_size), a batch of them (B, n_steps, input_size). Weights have
PyTorch's names, shapes and order, so that `load_state_dict` moves them from there to here.

References
----------
S. Hochreiter, J. Schmidhuber (1997), "Long short-term memory", Neural Computation 9, 1735-1780,
doi:10.1162/neco.1997.9.8.1735.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "gradient_by_lag", "remember", "run"]

State = tuple[Tensor, ...]


class _Cell(nn.Module):
    """The weights of a cell: blocks of `hidden_size` rows, one block for each gate or proposal."""

    n_blocks: ClassVar[int]
    n_states: ClassVar[int]

    def __init__(self, input_size: int, hidden_size: int, *, seed: int | None = None) -> None:
        super().__init__()
        if input_size < 1 or hidden_size < 1:
            got = f"{input_size} and {hidden_size}"
            raise ValueError(f"input_size and hidden_size must be at least 1, got {got}")
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.n_blocks * hidden_size
        dice = None if seed is None else torch.Generator().manual_seed(seed)
        a = 1 / math.sqrt(hidden_size)

        def draw(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape).uniform_(-a, a, generator=dice))

        self.weight_ih, self.weight_hh = draw(rows, input_size), draw(rows, hidden_size)
        self.bias_ih, self.bias_hh = draw(rows), draw(rows)

    def start(self, n: int) -> State:
        """Return the state before the first step: zeros, each of shape (n, hidden_size)."""
        like = self.weight_hh
        return tuple(like.new_zeros(n, self.hidden_size) for _ in range(self.n_states))

    def _sums(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weighted sums of the input and of h, (B, blocks · hidden_size) each."""
        for what, given, size in (("x", x, self.input_size), ("h", h, self.hidden_size)):
            if given.ndim != 2 or given.shape[1] != size:
                raise ValueError(f"{what} must have shape (B, {size}), got {tuple(given.shape)}")
        return x @ self.weight_ih.T + self.bias_ih, h @ self.weight_hh.T + self.bias_hh


class RNNCell(_Cell):
    """The plain cell, h ← tanh(Wx + Uh + b): all of the memory is overwritten at every step.

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers in an input, and in the state.
    seed : int, optional
        Of the initial weights, uniform between ±1/√hidden_size as in PyTorch.

    Raises
    ------
    ValueError
        If a size is below 1, or later a shape does not fit.

    Examples
    --------
    >>> cell = RNNCell(3, 5, seed=0)
    >>> (h,) = cell(torch.zeros(2, 3), cell.start(2))
    >>> h.shape
    torch.Size([2, 5])
    """

    n_blocks, n_states = 1, 1

    def forward(self, x: Tensor, state: State) -> State:
        """Take one step: inputs (B, input_size) and state (h,) to the new state."""
        (h,) = state
        from_x, from_h = self._sums(x, h)
        return ((from_x + from_h).tanh(),)


class LSTMCell(_Cell):
    """Long short-term memory: c ← f⊙c + i⊙g, and h ← o⊙tanh(c) is what others see of it.

    The gates i (write), f (keep) and o (show) are sigmoids, the proposal g is a tanh, each of its
    own weighted sum of x and h. Parameters and errors are those of `RNNCell`; the blocks of the
    weights stand in the order i, f, g, o.

    References
    ----------
    S. Hochreiter and J. Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735; the gate f is due to
    F. A. Gers, J. Schmidhuber, F. Cummins (2000), doi:10.1162/089976600300015015.

    Examples
    --------
    >>> cell = LSTMCell(3, 5, seed=0)
    >>> h, c = cell(torch.zeros(2, 3), cell.start(2))
    >>> h.shape, c.shape
    (torch.Size([2, 5]), torch.Size([2, 5]))
    """

    n_blocks, n_states = 4, 2

    def forward(self, x: Tensor, state: State) -> State:
        """Take one step: inputs (B, input_size) and state (h, c) to the new state."""
        h, c = state
        from_x, from_h = self._sums(x, h)
        i, f, g, o = (from_x + from_h).chunk(4, dim=1)  # (B, hidden_size) each
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class GRUCell(_Cell):
    """The gated recurrent unit: h ← z⊙h + (1 - z)⊙n, with the proposal n = tanh(Wx + r⊙(Uh)).

    The gates r (reset) and z (keep) are sigmoids. As in PyTorch, r multiplies Uh and its bias; in
    the paper it multiplies h before U does. Parameters and errors are those of `RNNCell`; the
    blocks of the weights stand in the order r, z, n.

    References
    ----------
    K. Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", EMNLP, doi:10.3115/v1/D14-1179.

    Examples
    --------
    >>> cell = GRUCell(3, 5, seed=0)
    >>> (h,) = cell(torch.zeros(2, 3), cell.start(2))
    >>> h.shape
    torch.Size([2, 5])
    """

    n_blocks, n_states = 3, 1

    def forward(self, x: Tensor, state: State) -> State:
        """Take one step: inputs (B, input_size) and state (h,) to the new state."""
        (h,) = state
        from_x, from_h = self._sums(x, h)
        r_x, z_x, n_x = from_x.chunk(3, dim=1)  # (B, hidden_size) each
        r_h, z_h, n_h = from_h.chunk(3, dim=1)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        n = (n_x + r * n_h).tanh()
        return (z * h + (1 - z) * n,)


Cell = RNNCell | LSTMCell | GRUCell


def run(cell: Cell, X: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, State]:
    """Let a cell read a batch of sequences, from a state of zeros.

    Sequences may end before the batch does. Then `lengths` says where; what stands behind the end
    (the padding) is not read, and the state stays as it was, as with PyTorch's packed sequences.

    Parameters
    ----------
    cell : RNNCell, LSTMCell or GRUCell
    X : Tensor, shape (B, n_steps, input_size)
    lengths : Tensor, shape (B,), int64, optional
        From 1 to n_steps; without it all sequences have n_steps.

    Returns
    -------
    outputs : Tensor, shape (B, n_steps, hidden_size)
        h after each step; zeros behind the end of a sequence.
    state : tuple of Tensor, each of shape (B, hidden_size)
        After the last step of each sequence.

    Raises
    ------
    ValueError
        If shapes do not fit, there is no step, or a length is impossible.

    Examples
    --------
    >>> outputs, (h, c) = run(LSTMCell(1, 4, seed=0), torch.ones(2, 3, 1), torch.tensor([3, 2]))
    >>> bool((outputs[1, 2] == 0).all()), bool((h[1] == outputs[1, 1]).all())
    (True, True)
    """
    _check_batch(cell, X)
    B, n_steps, _ = X.shape
    lengths = torch.full((B,), n_steps) if lengths is None else lengths
    if lengths.shape != (B,) or lengths.is_floating_point() or lengths.is_complex():
        got = f"{tuple(lengths.shape)}, {lengths.dtype}"
        raise ValueError(f"lengths holds {B} whole numbers, one a sequence; got {got}")
    if not 1 <= int(lengths.min()) <= int(lengths.max()) <= n_steps:
        got = f"{int(lengths.min())} to {int(lengths.max())}"
        raise ValueError(f"lengths lie between 1 and the {n_steps} steps of X, got {got}")
    alive = torch.arange(n_steps, device=X.device) < lengths.to(X.device)[:, None]  # (B, n_steps)
    X = torch.where(alive[..., None], X, 0)  # not even a NaN in the padding is read
    state, outputs = cell.start(B), []
    for t in range(n_steps):
        goes_on = alive[:, t, None]
        new = cell(X[:, t], state)
        state = tuple(torch.where(goes_on, a, b) for a, b in zip(new, state, strict=True))
        outputs.append(torch.where(goes_on, new[0], 0))
    return torch.stack(outputs, dim=1), state


def gradient_by_lag(cell: Cell, X: Tensor, *, seed: int = 0) -> Tensor:
    """Measure how much of a signal arrives at the memory of earlier steps.

    The memory is c for an LSTM and h for the others. A loss asks for the memory after the last
    step, in a random direction of length 1. Its gradient with respect to the memory k steps before
    has a norm; we return the root mean square over the batch.

    Parameters
    ----------
    cell : RNNCell, LSTMCell or GRUCell
    X : Tensor, shape (B, n_steps, input_size)
    seed : int
        Of the directions.

    Returns
    -------
    Tensor, shape (n_steps + 1,)
        Entry k is for the lag k; the first one is 1.

    Examples
    --------
    >>> gradient_by_lag(GRUCell(1, 8, seed=0), torch.zeros(2, 5, 1))[0].item()
    1.0
    """
    _check_batch(cell, X)
    state = tuple(s.requires_grad_() for s in cell.start(len(X)))
    memory = [state[-1]]
    for x in X.unbind(1):
        state = cell(x, state)
        memory.append(state[-1])
    dice = torch.Generator().manual_seed(seed)
    v = torch.randn(memory[-1].shape, generator=dice, dtype=torch.float64)
    v = (v / v.norm(dim=1, keepdim=True)).to(X)
    gradients = torch.autograd.grad((memory[-1] * v).sum(), memory)
    norms = [g.square().sum(1).mean().sqrt() for g in reversed(gradients)]
    return torch.stack(norms)


@torch.no_grad()
def remember(layer: nn.Module, steps: float | Tensor) -> None:
    """Set the biases of a fresh LSTM or GRU so that it keeps its memory for about so many steps.

    The gate that keeps (f or z) gets the bias ln(τ - 1). While its other inputs are near 0 the
    memory then shrinks by the factor 1 - 1/τ a step, and to 1/e in about τ steps.

    Parameters
    ----------
    layer : LSTMCell, GRUCell, or PyTorch's nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell
        Changed in place; every layer and direction that it has.
    steps : float or Tensor of shape (hidden_size,)
        τ, above 1: one for all, or one for each unit.

    Raises
    ------
    ValueError
        If a τ is not above 1, or their number does not fit.
    TypeError
        If the layer has no gate that keeps.

    References
    ----------
    C. Tallec, Y. Ollivier (2018), "Can recurrent neural networks warp time?", ICLR,
    arXiv:1804.11188.

    Examples
    --------
    >>> cell = LSTMCell(1, 2)
    >>> remember(cell, 11.0)
    >>> (cell.bias_ih + cell.bias_hh).detach()[2:4].sigmoid()
    tensor([0.9091, 0.9091])
    """
    gated = (LSTMCell, GRUCell, nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell)
    if not isinstance(layer, gated):
        raise TypeError(f"remember needs an LSTM or a GRU, got {type(layer).__name__}")
    H = layer.hidden_size
    tau = torch.as_tensor(steps, dtype=torch.float64)
    if tau.ndim > 1 or (tau.ndim == 1 and len(tau) != H):
        raise ValueError(f"steps is one number or {H}, got shape {tuple(tau.shape)}")
    if not ((tau > 1) & tau.isfinite()).all():
        raise ValueError(f"steps must be finite and above 1, got {steps}")
    for name, bias in layer.named_parameters():
        if name.startswith("bias_ih"):  # f and z are the second block of their cells
            bias[H : 2 * H] = (tau - 1).log().to(bias)
        elif name.startswith("bias_hh"):
            bias[H : 2 * H] = 0


def _check_batch(cell: Cell, X: Tensor) -> None:
    if X.ndim != 3 or min(X.shape[:2]) == 0 or X.shape[2] != cell.input_size:
        rule = f"(B, n_steps, {cell.input_size}), with a sequence and a step at least"
        raise ValueError(f"X must have shape {rule}; got {tuple(X.shape)}")
