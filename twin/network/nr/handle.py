"""One pointer that stands for many arrays in kernels: passing it on, or reading through it, costs nothing.

numba passes a tuple of arrays field by field and counts references at every assignment, atomically; with thirty
arrays that was most of the kernel's compilation and half of its running time. A `Handle` (a numba structref) is
made once, from arrays whose owner Python keeps alive; kernels work on what `opened` returns.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AttributeTemplate
from numba.experimental import structref
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, models, register_model


@structref.register
class HandleType(types.StructRef):
    """The type of a handle."""

    def preprocess_fields(self, fields: Any) -> Any:
        """Let literal types not make a new type of struct."""
        return tuple((name, types.unliteral(kind)) for name, kind in fields)

    @property
    def mangling_args(self) -> tuple[str, tuple[object, ...]]:
        """Stand for the type in the names of functions: spelt out it would be most of a compiled kernel's size."""
        return f"Handle{sha256(self.name.encode()).hexdigest()[:12]}", ()


class OpenedType(types.Type):
    """The type of an opened handle: the address of its fields."""

    def __init__(self, handle: HandleType) -> None:
        self.handle = handle
        super().__init__(f"Opened({handle.name})")

    @property
    def mangling_args(self) -> tuple[str, tuple[object, ...]]:
        """Stand for the type in the names of functions."""
        return "Opened", (self.handle,)


register_model(OpenedType)(models.OpaqueModel)


@infer_getattr
class _Fields(AttributeTemplate):
    key = OpenedType

    def generic_resolve(self, kind: OpenedType, name: str) -> Any:  # type: ignore[override]
        return kind.handle.field_dict.get(name)


@lower_getattr_generic(OpenedType)
def _read(context: Any, builder: Any, kind: OpenedType, value: Any, name: str) -> Any:
    payload = kind.handle.get_data_type()  # type: ignore[no-untyped-call]
    address = builder.bitcast(value, context.data_model_manager[payload].get_value_type().as_pointer())
    fields = cgutils.create_struct_proxy(payload)(context, builder, ref=address)
    return impl_ret_borrowed(context, builder, kind.handle.field_dict[name], getattr(fields, name))


def _opened(typing_context: Any, handle: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = cgutils.create_struct_proxy(handle)(context, builder, value=arguments[0])
        return context.nrt.meminfo_data(builder, struct.meminfo)

    return OpenedType(handle)(handle), generate


def _borrowed(typing_context: Any, array: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = cgutils.create_struct_proxy(array)(context, builder, value=arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return array(array), generate


opened: Any = intrinsic(_opened)
"""In kernels: return the fields of a handle, which must live on while they are used."""
borrowed: Any = intrinsic(_borrowed)
"""In kernels: return an array without its owner, so that no references to it are counted."""
