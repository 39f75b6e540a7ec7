"""Steps and sequences as functions: pairs with caches, two outputs, a loss over characters, filters and scans."""

import numpy as np

from tests.right.table import at, beside, cached, some


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dz = dnext_h * (1 - next_h**2)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)


def rnn_forward(x, h0, Wx, Wh, b):
    h, cache, prev_h = np.zeros((*x.shape[:2], h0.shape[1])), [], h0
    for t in range(x.shape[1]):
        prev_h, step = rnn_step_forward(x[:, t], prev_h, Wx, Wh, b)
        h[:, t] = prev_h
        cache.append(step)
    return h, cache


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx, dWx, dWh, db = np.zeros((N, T, D)), np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    dprev_h = np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t], dprev_h, dWx_t, dWh_t, db_t = rnn_step_backward(dh[:, t] + dprev_h, cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dx, dprev_h, dWx, dWh, db


def lstm_step(x, h, c, W):
    """Next h and c; gates i, f, o, g from one matrix on [x, h]."""
    a = np.concatenate([x, h], axis=1) @ W
    i, f, o, g = np.split(a, 4, axis=1)
    i, f, o, g = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), 1 / (1 + np.exp(-o)), np.tanh(g)
    new_c = f * c + i * g
    return o * np.tanh(new_c), new_c


def lstm_step_vjp(x, h, c, W, dh, dc):
    xh = np.concatenate([x, h], axis=1)
    i, f, o, g = np.split(xh @ W, 4, axis=1)
    i, f, o, g = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), 1 / (1 + np.exp(-o)), np.tanh(g)
    t = np.tanh(f * c + i * g)
    dc = dc + dh * o * (1 - t**2)
    da = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g**2)], axis=1)
    dxh = da @ W.T
    return dxh[:, : x.shape[1]], dxh[:, x.shape[1] :], dc * f, xh.T @ da


def minimal_gated_forward(x, h, W, U):
    """f gates both what is forgotten and what is read."""
    f = 1 / (1 + np.exp(-(x @ W + h @ U)))
    candidate = np.tanh(x @ W + (f * h) @ U)
    return (1 - f) * h + f * candidate, (x, h, W, U, f, candidate)


def minimal_gated_backward(dout, cache):
    x, h, W, U, f, candidate = cache
    dz = dout * f * (1 - candidate**2)
    dfh = dz @ U.T
    df = (dout * (candidate - h) + dfh * h) * f * (1 - f)
    dh = dout * (1 - f) + dfh * f + df @ U.T
    return (dz + df) @ W.T, dh, x.T @ (dz + df), h.T @ df + (f * h).T @ dz


CHARACTERS, TARGETS = np.array([0, 2, 1, 1]), np.array([2, 1, 1, 0])


def character_loss(Wxh, Whh, Why, bh, by):
    """Cross-entropy of the next character, summed over a short text."""
    h, loss = np.zeros((len(bh), 1)), 0.0
    for now, following in zip(CHARACTERS, TARGETS, strict=True):
        h = np.tanh(Wxh[:, [now]] + Whh @ h + bh)
        y = Why @ h + by
        loss += np.log(np.sum(np.exp(y))) - y[following, 0]
    return loss


def character_loss_grad(Wxh, Whh, Why, bh, by):
    hs, ps = [np.zeros((len(bh), 1))], []
    for now in CHARACTERS:
        hs.append(np.tanh(Wxh[:, [now]] + Whh @ hs[-1] + bh))
        e = np.exp(Why @ hs[-1] + by)
        ps.append(e / e.sum())
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby, dh_next = np.zeros_like(bh), np.zeros_like(by), 0.0
    for t in reversed(range(len(CHARACTERS))):
        dy = ps[t].copy()
        dy[TARGETS[t]] -= 1
        dWhy += dy @ hs[t + 1].T
        dby += dy
        draw = (1 - hs[t + 1] ** 2) * (Why.T @ dy + dh_next)
        dbh += draw
        dWxh[:, [CHARACTERS[t]]] += draw
        dWhh += draw @ hs[t].T
        dh_next = Whh.T @ draw
    return dWxh, dWhh, dWhy, dbh, dby


def linear_scan(a, x):
    """yₜ = aₜ yₜ₋₁ + xₜ."""
    y, out = 0.0, []
    for decay, step in zip(a, x, strict=True):
        y = decay * y + step
        out.append(y)
    return np.array(out)


def linear_scan_vjp(a, x, g):
    y = np.concatenate([[0.0], linear_scan(a, x)[:-1]])
    carried, dx = 0.0, np.empty_like(g)
    for t in reversed(range(len(x))):
        carried = carried + g[t]
        dx[t] = carried
        carried = carried * a[t]
    return dx * y, dx


def linear_scan_jvp(a, x, da, dx):
    y = np.concatenate([[0.0], linear_scan(a, x)[:-1]])
    return linear_scan(a, da * y + dx)


CASES = [
    beside(rnn_step_forward, 5),
    cached(rnn_forward, rnn_backward, some(2, 3, 2), some(2, 3), some(2, 3, seed=1), some(3, 3), some(3)),
    at(lstm_step, some(2, 2), some(2, 2, seed=1), some(2, 2, seed=2), some(4, 8), vjp=lstm_step_vjp),
    cached(
        minimal_gated_forward, minimal_gated_backward, some(2, 3), some(2, 3, seed=1), some(3, 3), some(3, 3, seed=1)
    ),
    at(
        character_loss,
        some(2, 3),
        some(2, 2),
        some(3, 2),
        some(2, 1),
        some(3, 1),
        grad=character_loss_grad,
    ),
    at(linear_scan, some(5), some(5, seed=1), vjp=linear_scan_vjp, jvp=linear_scan_jvp),
]
