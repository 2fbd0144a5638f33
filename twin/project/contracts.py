"""Does a class that a user wrote meet the protocol it stands for? Asked before the run, answered in words."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from pydantic import BaseModel, TypeAdapter, ValidationError

from twin.errors import PluginError
from twin.specs import ServiceTimeSpec
from twin.units import QuantityError, parse_quantity

_SERVICE_TIME: TypeAdapter[ServiceTimeSpec] = TypeAdapter(ServiceTimeSpec)


def check_contract(value: object, contract: type, reference: str) -> None:
    """Check that `value` is a class with the methods of the protocol `contract`, made without arguments.

    Raises:
        PluginError: it isn't; the message shows each missing or different signature beside the expected one.
    """
    if not inspect.isclass(value):
        raise PluginError(f"{reference}: expected a class, found {type(value).__name__} {value!r}")
    faults = [] if value.__init__ is object.__init__ else _faults(value, "__init__", 0, "(self)")
    for name, method in vars(contract).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            is_the_protocols_own = getattr(value, name, None) is method  # derived from it: an empty body
            if is_the_protocols_own:
                faults.append(f"missing: def {name}{_written(method)}")
                continue
            arguments = len(inspect.signature(method).parameters) - 1
            faults += _faults(value, name, arguments, _written(method))
    if faults:
        lines = "\n  ".join(faults)
        raise PluginError(f"{reference}: class {value.__name__} is no {contract.__name__}:\n  {lines}")


def check_options(controller: type, reference: str) -> None:
    """Check the optional attributes of a controller, those that the protocol Controller lists.

    Raises:
        PluginError: one of them is wrong.
    """
    runs_on, trigger = getattr(controller, "runs_on", "edge"), getattr(controller, "trigger", "arrival")
    faults = []
    if runs_on not in ("edge", "onboard"):
        faults.append(f"runs_on = {runs_on!r}; allowed: 'edge', 'onboard'")
    if trigger != "arrival":
        faults += _quantity_faults("trigger", trigger, "frequency", "'arrival' or ")
    faults += _service_time_faults(controller)
    if hasattr(controller, "act_batch"):
        faults += _faults(controller, "act_batch", 2, "(controllers, observations), a static method", bound=0)
    if hasattr(controller, "meet"):
        faults += _faults(controller, "meet", 1, "(controllers), a static method", bound=0)
    if hasattr(controller, "telemetry_size"):
        faults += _faults(controller, "telemetry_size", 2, "(spec, sample), a static method", bound=0)
    model = getattr(controller, "Parameters", BaseModel)
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        faults.append(f"Parameters = {model!r}; allowed: a class derived from pydantic.BaseModel")
    if faults:
        lines = "\n  ".join(faults)
        raise PluginError(f"{reference}: class {controller.__name__} can't be used:\n  {lines}")


def service_time_of(controller: object) -> ServiceTimeSpec:
    """Return the service time that a controller states, 0 if it states none."""
    spec: ServiceTimeSpec = _SERVICE_TIME.validate_python(getattr(controller, "service_time", 0))
    return spec


def _service_time_faults(controller: type) -> list[str]:
    try:
        service_time_of(controller)
    except ValidationError as error:
        value = getattr(controller, "service_time", None)
        return [f"service_time = {value!r}: {wrong['msg']}" for wrong in error.errors()]
    return []


def _faults(cls: type, name: str, arguments: int, expected: str, bound: int = 1) -> list[str]:
    """Return what is wrong with calling `cls.name` with `arguments` values, `bound` of them before (self)."""
    method = getattr(cls, name, None)
    if method is None:
        return [f"missing: def {name}{expected}"]
    if not callable(method):
        return [f"found: {name} = {method!r}; expected: def {name}{expected}"]
    if isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod)):
        bound = 0
    try:
        inspect.signature(method).bind(*[None] * (arguments + bound))
    except TypeError:
        return [f"found: def {name}{_written(method)}; expected: def {name}{expected}"]
    if inspect.iscoroutinefunction(method):
        return [f"found: async def {name}; expected: def {name}{expected}"]
    return []


def _quantity_faults(name: str, value: object, dimension: str, besides: str) -> list[str]:
    try:
        negative = parse_quantity(value, dimension) < 0
    except QuantityError as error:
        return [f"{name} = {value!r}; allowed: {besides}{error.expected}"]
    return [f"{name} = {value!r}; allowed: nothing negative"] if negative else []


def _written(function: Callable[..., object]) -> str:
    return str(inspect.signature(function)).replace("'", "")
