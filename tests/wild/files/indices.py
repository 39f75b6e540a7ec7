"""An embedding, and a softmax whose backward takes what came out."""

import numpy as np


def embed(idx, table):
    return table[idx], (idx, table.shape)


def embed_backward(dout, cache):
    idx, shape = cache
    dtable = np.zeros(shape)
    np.add.at(dtable, idx, dout)
    return dtable


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(dout, y):
    return y * (dout - (dout * y).sum(axis=-1, keepdims=True))
