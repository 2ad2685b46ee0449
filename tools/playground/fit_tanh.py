"""Fit the ratio of polynomials with which `simd.ts` computes tanh; print coefficients and error.

tanh(x) ≈ x·P(x²) / Q(x²) for |x| ≤ 7, P and Q of degree 3, Q with 1 in front of its highest power,
by Lawson's iteration: least squares with weights that grow where the error is largest.
"""

import numpy as np

REACH, TERMS = 7.0, (4, 4)

x = REACH / 2 * (1 - np.cos(np.pi * (np.arange(4000) + 0.5) / 4000))
u, y = (x / REACH) ** 2, np.tanh(x)
weights = denominator = np.ones_like(x)
best = np.inf
for _ in range(60):
    columns = [x * u**k for k in range(TERMS[0])] + [-y * u**k for k in range(1, TERMS[1])]
    scale = np.sqrt(weights) / denominator
    found = np.linalg.lstsq(np.stack(columns, 1) * scale[:, None], y * scale, rcond=None)[0]
    P, Q = found[: TERMS[0]], np.concatenate([[1.0], found[TERMS[0] :]])
    denominator = np.polyval(Q[::-1], u)
    error = np.abs(x * np.polyval(P[::-1], u) / denominator - y)
    if error.max() < best:
        best, kept = error.max(), (P, Q)
    weights = weights * (error / error.max() + 1e-3)
    weights /= weights.mean()

P, Q = ([value / REACH ** (2 * k) for k, value in enumerate(polynomial)] for polynomial in kept)
for name, polynomial in (("P", P), ("Q", Q)):
    for k, value in enumerate(polynomial):
        print(f"{name}{k} = {value / Q[-1]:.8e}")
print(f"largest error {best:.1e}")
