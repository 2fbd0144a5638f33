"""What surfaces do to a wave: Fresnel coefficients, slabs, and the turn of polarisation at a reflection.

Convention e^{+jwt}: relative permittivity is eps' - j eps'', a path of length d turns the field by e^{-jkd}.
"""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import uncounted
from twin.state import C128
from twin.world.bvh import Triple


@uncounted
def square_root(z: complex) -> complex:
    """Return the root with a real part of at least 0: a third of the time of the library's, which guards overflow."""
    size = np.sqrt(z.real * z.real + z.imag * z.imag)
    larger = np.sqrt(0.5 * (size + abs(z.real)))
    if larger == 0.0:
        return 0.0j
    smaller = 0.5 * z.imag / larger
    if z.real >= 0.0:
        return complex(larger, smaller)
    return complex(abs(smaller), larger if z.imag >= 0.0 else -larger)


@uncounted
def fresnel(cos_incidence: float, permittivity: complex) -> tuple[complex, complex]:
    """Return the reflection coefficients (TE, TM) of a half-space (Recommendation ITU-R P.2040-3, eq. 37).

    TE: the field is normal to the plane of incidence. A perfect conductor has -1 and +1.
    """
    return _fresnel(cos_incidence, permittivity, _root(cos_incidence, permittivity))


@uncounted
def _root(cosine: float, permittivity: complex) -> complex:
    return square_root(permittivity - (1.0 - cosine * cosine))


@uncounted
def _fresnel(cosine: float, permittivity: complex, root: complex) -> tuple[complex, complex]:
    te = (cosine - root) / (cosine + root)
    tm = (permittivity * cosine - root) / (permittivity * cosine + root)
    return te, tm


@uncounted
def slab_reflection(
    cos_incidence: float, permittivity: complex, thickness: float, wavelength: float
) -> tuple[complex, complex]:
    """Return the reflection coefficients (TE, TM) of a slab (P.2040-3, eq. 43), a half-space if infinitely thick."""
    root = _root(cos_incidence, permittivity)
    te, tm = _fresnel(cos_incidence, permittivity, root)
    if np.isinf(thickness):
        return te, tm
    inside = np.exp(-1j * (2.0 * np.pi / wavelength) * thickness * root)
    twice = inside * inside
    return te * (1.0 - twice) / (1.0 - te * te * twice), tm * (1.0 - twice) / (1.0 - tm * tm * twice)


@uncounted
def slab_transmission(
    cos_incidence: float, permittivity: complex, thickness: float, wavelength: float
) -> tuple[complex, complex]:
    """Return the transmission coefficients (TE, TM) of a slab (P.2040-3, eq. 44); none if infinitely thick.

    They are relative to the same straight path through air, so that a slab of air gives 1.
    """
    if np.isinf(thickness):
        return 0.0j, 0.0j
    root = _root(cos_incidence, permittivity)
    te, tm = _fresnel(cos_incidence, permittivity, root)
    wavenumber = 2.0 * np.pi / wavelength
    inside = np.exp(-1j * wavenumber * thickness * root)
    outside = np.exp(-1j * wavenumber * thickness * cos_incidence)
    twice = inside * inside
    below_te, below_tm = 1.0 - te * te * twice, 1.0 - tm * tm * twice
    return (1.0 - te * te) * inside / outside / below_te, (1.0 - tm * tm) * inside / outside / below_tm


@uncounted
def spherical_basis(x: float, y: float, z: float) -> tuple[float, float, float, float, float]:
    """Return theta-hat (3 components) and phi-hat (2; its third is 0) at the unit direction (x, y, z).

    At the poles phi is taken as 0.
    """
    s = np.sqrt(x * x + y * y)
    if s < 1e-12:
        return z, 0.0, 0.0, 0.0, 1.0
    return x * z / s, y * z / s, -s, -y / s, x / s


@uncounted
def perpendicular(dx: float, dy: float, dz: float, nx: float, ny: float, nz: float) -> Triple:
    """Return the unit vector normal to the plane of incidence of direction d on a plane with normal n."""
    sx, sy, sz = dy * nz - dz * ny, dz * nx - dx * nz, dx * ny - dy * nx
    length = np.sqrt(sx * sx + sy * sy + sz * sz)
    if length < 1e-9:  # normal incidence: any will do
        if abs(nx) < 0.9:
            sx, sy, sz = 0.0, nz, -ny
        else:
            sx, sy, sz = -nz, 0.0, nx
        length = np.sqrt(sx * sx + sy * sy + sz * sz)
    return sx / length, sy / length, sz / length


@uncounted
def act_on(field: C128, d: Triple, o: Triple, s: Triple, te: complex, tm: complex) -> None:
    """Apply coefficients to `field` (2, 3), two waves that travel along d and leave along o.

    s is the unit vector normal to the plane of incidence; the component along s is multiplied by `te`, the
    one along s x d by `tm` and turned to s x o.
    """
    (dx, dy, dz), (ox, oy, oz), (sx, sy, sz) = d, o, s
    px, py, pz = sy * dz - sz * dy, sz * dx - sx * dz, sx * dy - sy * dx
    qx, qy, qz = sy * oz - sz * oy, sz * ox - sx * oz, sx * oy - sy * ox
    for w in range(2):
        es = te * (field[w, 0] * sx + field[w, 1] * sy + field[w, 2] * sz)
        ep = tm * (field[w, 0] * px + field[w, 1] * py + field[w, 2] * pz)
        field[w, 0] = es * sx + ep * qx
        field[w, 1] = es * sy + ep * qy
        field[w, 2] = es * sz + ep * qz


@uncounted
def start_field(field: C128, dx: float, dy: float, dz: float) -> None:
    """Write to `field` (2, 3) the waves theta-hat and phi-hat that leave along d."""
    tx, ty, tz, px, py = spherical_basis(dx, dy, dz)
    field[0, 0], field[0, 1], field[0, 2] = tx, ty, tz
    field[1, 0], field[1, 1], field[1, 2] = px, py, 0.0


@uncounted
def end_transfer(field: C128, ax: float, ay: float, az: float, transfer: C128) -> None:
    """Write `transfer` (2, 2): theta and phi at arrival from direction a, by theta and phi at departure."""
    tx, ty, tz, px, py = spherical_basis(ax, ay, az)
    for w in range(2):
        transfer[0, w] = field[w, 0] * tx + field[w, 1] * ty + field[w, 2] * tz
        transfer[1, w] = field[w, 0] * px + field[w, 1] * py


@uncounted
def spread(length: float, wavelength: float) -> complex:
    """Return the free-space factor lambda / (4 pi d) e^{-jkd} of a path of `length` d [m]."""
    cycles = length / wavelength
    angle = -2.0 * np.pi * (cycles - np.floor(cycles))
    scale = wavelength / (4.0 * np.pi * max(length, wavelength / (4.0 * np.pi)))
    return complex(scale * np.cos(angle), scale * np.sin(angle))
