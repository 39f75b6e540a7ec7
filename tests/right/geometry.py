"""Rotations, distances, coordinates, cameras, areas, curves and images."""

import numpy as np

from tests.right.table import at, positive, some


def rotation(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def rotation_jac(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[-s, -c], [c, -s]])


def rodrigues(w):
    """The vector (1, 2, 3) turned about w by |w|."""
    angle = np.linalg.norm(w)
    k, v = w / angle, np.array([1.0, 2.0, 3.0])
    return v * np.cos(angle) + np.cross(k, v) * np.sin(angle) + k * (k @ v) * (1 - np.cos(angle))


def rodrigues_jac(w):
    angle = np.linalg.norm(w)
    k, v, eye = w / angle, np.array([1.0, 2.0, 3.0]), np.eye(3)
    c, s = np.cos(angle), np.sin(angle)
    dk = (eye - np.outer(k, k)) / angle
    by_angle = -v * s + np.cross(k, v) * c + k * (k @ v) * s
    by_k = -np.cross(v, eye, axisb=0, axisc=0) * s + ((k @ v) * eye + np.outer(k, v)) * (1 - c)
    return np.outer(by_angle, k) + by_k @ dk


def quaternion_matrix(q):
    """Rotation matrix of q / |q|."""
    w, x, y, z = q / np.sqrt(q @ q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_matrix_vjp(q, G):
    n = np.sqrt(q @ q)
    w, x, y, z = q / n
    by_w = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    by_x = np.array([[0, y, z], [y, -2 * x, -w], [z, w, -2 * x]])
    by_y = np.array([[-2 * y, x, w], [x, 0, z], [-w, z, -2 * y]])
    by_z = np.array([[-2 * z, -w, x], [w, -2 * z, y], [x, y, 0]])
    d = 2 * np.array([np.sum(G * D) for D in (by_w, by_x, by_y, by_z)])
    u = q / n
    return (d - u * (u @ d)) / n


def haversine(a, b):
    """The great-circle distance of two points, (latitude, longitude) in radians, on a unit sphere."""
    h = np.sin((b[0] - a[0]) / 2) ** 2 + np.cos(a[0]) * np.cos(b[0]) * np.sin((b[1] - a[1]) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(h))


def haversine_grad(a, b):
    dlat, dlon = b[0] - a[0], b[1] - a[1]
    sin_lon = np.sin(dlon / 2) ** 2
    h = np.sin(dlat / 2) ** 2 + np.cos(a[0]) * np.cos(b[0]) * sin_lon
    outer = 1 / np.sqrt(h * (1 - h))
    by_lat = np.sin(dlat) / 2
    by_lon = np.cos(a[0]) * np.cos(b[0]) * np.sin(dlon) / 2
    da = np.array([-by_lat - np.sin(a[0]) * np.cos(b[0]) * sin_lon, -by_lon])
    db = np.array([by_lat - np.cos(a[0]) * np.sin(b[0]) * sin_lon, by_lon])
    return outer * da, outer * db


def spherical(s):
    r, theta, phi = s
    return r * np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])


def spherical_jac(s):
    r, t, p = s
    return np.array(
        [
            [np.sin(t) * np.cos(p), r * np.cos(t) * np.cos(p), -r * np.sin(t) * np.sin(p)],
            [np.sin(t) * np.sin(p), r * np.cos(t) * np.sin(p), r * np.sin(t) * np.cos(p)],
            [np.cos(t), -r * np.sin(t), 0],
        ]
    )


def pinhole(X, f):
    """Points before a camera, `(n, 3)`, to its image."""
    return f * X[:, :2] / X[:, 2:]


def pinhole_jvp(X, f, dX, df):
    return (df * X[:, :2] + f * dX[:, :2]) / X[:, 2:] - f * X[:, :2] * dX[:, 2:] / X[:, 2:] ** 2


def polygon_area(P):
    x, y = P.T
    return 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def polygon_area_grad(P):
    x, y = P.T
    sign = np.sign(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    return 0.5 * sign * np.stack([np.roll(y, -1) - np.roll(y, 1), np.roll(x, 1) - np.roll(x, -1)], axis=1)


def bezier(points):
    """A cubic at five parameters, by its four control points `(4, 2)`."""
    t = np.linspace(0, 1, 5)[:, None]
    p0, p1, p2, p3 = points
    return (1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t**2 * (1 - t) * p2 + t**3 * p3


def bezier_vjp(points, g):
    t = np.linspace(0, 1, 5)
    basis = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    return basis @ g


def hermite(x):
    """A cubic Hermite spline through (0, 0), (1, 1), (2, 0) with slopes 1, 0, −1."""
    y, m = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, -1.0])
    i = np.clip(np.floor(x).astype(int), 0, 1)
    t = x - i
    h00, h10 = 2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t
    return h00 * y[i] + h10 * m[i] + (1 - h00) * y[i + 1] + (t**3 - t**2) * m[i + 1]


def hermite_derivative(x):
    y, m = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, -1.0])
    i = np.clip(np.floor(x).astype(int), 0, 1)
    t = x - i
    bend = 6 * t**2 - 6 * t
    return bend * (y[i] - y[i + 1]) + (3 * t**2 - 4 * t + 1) * m[i] + (3 * t**2 - 2 * t) * m[i + 1]


def bilinear_sample(image, xy):
    """The brightness between pixels."""
    x, y = xy
    i, j = int(np.floor(x)), int(np.floor(y))
    u, v = x - i, y - j
    return (
        (1 - u) * (1 - v) * image[i, j]
        + u * (1 - v) * image[i + 1, j]
        + (1 - u) * v * image[i, j + 1]
        + u * v * image[i + 1, j + 1]
    )


def bilinear_sample_grad(image, xy):
    x, y = xy
    i, j = int(np.floor(x)), int(np.floor(y))
    u, v = x - i, y - j
    dimage = np.zeros_like(image)
    dimage[i : i + 2, j : j + 2] = np.outer([1 - u, u], [1 - v, v])
    corner = image[i : i + 2, j : j + 2]
    down, across = np.array([1 - v, v]) @ (corner[1] - corner[0]), np.array([1 - u, u]) @ (corner[:, 1] - corner[:, 0])
    return dimage, np.array([down, across])


CASES = [
    at(rotation, 0.6, jac=rotation_jac),
    at(rodrigues, some(3), jac=rodrigues_jac),
    at(quaternion_matrix, some(4), vjp=quaternion_matrix_vjp),
    at(haversine, np.array([0.75, 0.1]), np.array([0.6, 0.9]), grad=haversine_grad),
    at(spherical, np.array([2.0, 0.6, 1.1]), jac=spherical_jac),
    at(pinhole, positive(3, 3), np.array(1.5), jvp=pinhole_jvp),
    at(polygon_area, np.array([[0.0, 0.0], [2.0, 0.5], [2.5, 2.0], [0.5, 1.5]]), grad=polygon_area_grad),
    at(bezier, some(4, 2), vjp=bezier_vjp),
    at(hermite, np.array(0.4), grad=hermite_derivative),
    at(bilinear_sample, some(3, 3), np.array([0.4, 1.3]), grad=bilinear_sample_grad),
]
