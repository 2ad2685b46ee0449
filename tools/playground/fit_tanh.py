"""Fit the ratio of polynomials with which `simd.ts` computes tanh; print coefficients and error.

tanh(x) ≈ x·P(x²) / Q(x²) for |x| ≤ 6, P of degree 2 and Q of degree 3, Q with 1 in front of its
highest power, by Lawson's iteration: least squares with weights that grow where the error is
largest. Beyond 6 the value at 6 stands for all, so it is to be near 1 as well.
"""

import numpy as np

REACH, TERMS = 6.0, (3, 4)

x = REACH / 2 * (1 - np.cos(np.pi * (np.arange(4000) + 0.5) / 4000))
x, y = np.append(x, REACH), np.append(np.tanh(x), 1)
u = (x / REACH) ** 2
weights = denominator = np.ones_like(x)
best = np.inf
for _ in range(400):
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

for name, polynomial in zip("PQ", kept, strict=True):
    for k, value in enumerate(polynomial):
        print(f"{name}{k} = {value / kept[1][-1] * REACH ** (2 * (TERMS[1] - 1 - k)):.8e}")
print(f"largest error {best:.1e}")
