"""What surrounds bodies, and what of it a dynamics feels: it has what one of these protocols names, and is told of it.

Whatever a dynamics doesn't have it doesn't feel. Arrays belong to the dynamics and are written in place before each
step, one row for each of its n robots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from twin.state import F64, I64, Bool

if TYPE_CHECKING:
    from twin.world.waves import Waves


@runtime_checkable
class FeelsAir(Protocol):
    """A dynamics whose bodies are in the air: wind, and the wakes of others."""

    air: F64  # (n, 3) m/s, velocity of the air in world axes, at the centre of mass


@runtime_checkable
class LeavesWake(FeelsAir, Protocol):
    """A dynamics whose rotors blow others about."""

    @property
    def disk(self) -> float:
        """Area [m2] that all rotors of a body sweep."""

    @property
    def thrust(self) -> F64:
        """Thrust (n,) [N] along the body's z axis."""


@runtime_checkable
class OverGround(Protocol):
    """A dynamics whose bodies know how high the solid surface is below them, -inf where there is none."""

    ground: F64  # (n,) m below the centre of mass; (n, F) below each foot, where there are `feet`


@runtime_checkable
class OnFeet(OverGround, Protocol):
    """A dynamics whose bodies stand or roll on several points."""

    @property
    def feet(self) -> F64:
        """Places (F, 3) [m] in body axes under which the ground is looked for."""


@runtime_checkable
class OnSlopes(OnFeet, Protocol):
    """A dynamics whose feet feel how steep the surface is."""

    slope: F64  # (n, F, 2) rise of the surface below each foot to the east and to the north, m per m


@runtime_checkable
class Floats(Protocol):
    """A dynamics whose bodies are in the water."""

    waves: Waves  # the components of the sea at `time`
    time: float  # s
    level: float  # m, z of the mean surface
    current: tuple[float, float, float]  # east and north [m/s], and the exponent of its profile
    wind: F64  # (n, 3) m/s, a metre above the water


@runtime_checkable
class Moored(Protocol):
    """A floating dynamics that wants to know where its bodies are anchored."""

    def moor(self, position: F64, depth: float) -> None:
        """Take the starts (n, 3) [m] of all bodies and the depth of the water [m]."""


@runtime_checkable
class Powered(Protocol):
    """A dynamics with a battery or another store of energy."""

    used: F64  # (n,) J, taken out so far

    @property
    def capacity(self) -> float:
        """Energy [J] of a full store; infinite where it is none."""


@runtime_checkable
class Charged(Powered, Protocol):
    """A dynamics whose battery can be read, and charged."""

    @property
    def charge(self) -> F64:
        """Energy (n,) [J] left."""

    @property
    def charging(self) -> Bool:
        """Whether it is charged (n,)."""


@runtime_checkable
class Electrical(Protocol):
    """A dynamics whose battery has a voltage."""

    voltage: F64  # (n,) V, at its terminals
    current: F64  # (n,) A


@runtime_checkable
class Chargeable(Protocol):
    """A dynamics whose batteries are charged at stations."""

    stations: F64  # (S, 2) m, on the floor


@runtime_checkable
class Saturates(Protocol):
    """A dynamics whose drives can't always give what is asked of them."""

    saturated: I64  # (n,) steps in which they could not
