"""Lets a kernel work on many pixels with one instruction: the only module of the core that knows of LLVM.

A function under `@simd` is written once, on vectors of any length, and becomes the vector instructions of the machine it
is compiled for: AVX2, NEON or what there is. Comparing vectors gives a mask; `mask.to_bits()` packs it into a word, lane
0 in bit 0.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic
from numba.np.numpy_support import carray

__all__ = ["carray", "pointer", "popcount", "simd", "trailing_zeros"]

Function = TypeVar("Function", bound=Callable[..., Any])
inline: Any = intrinsic
declared: Any = get_or_insert_function

BIT = ir.IntType(1)
BYTE = ir.IntType(8)
WORD = ir.IntType(64)


class Vector:
    """Unsigned integers side by side; what is done with them is done in every lane, wrapping around as in C."""

    def __init__(self, builder: Any, value: Any) -> None:
        self._builder, self.value = builder, value

    def _like(self, other: Vector | int) -> Any:
        """Return the other operand, a number in every lane."""
        if isinstance(other, Vector):
            return other.value
        kind = self.value.type
        return ir.Constant(kind, [ir.Constant(kind.element, other)] * kind.count)

    def _new(self, value: Any) -> Vector:
        return Vector(self._builder, value)

    def _intrinsic(self, name: str, other: Vector | int, *more: Any) -> Vector:
        """Call one of LLVM's own functions."""
        kind = self.value.type
        name = f"llvm.{name}.v{kind.count}i{kind.element.width}"
        form = ir.FunctionType(kind, [kind, kind, *(argument.type for argument in more)])
        function = declared(self._builder.module, form, name)
        return self._new(self._builder.call(function, [self.value, self._like(other), *more]))

    def __add__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.add(self.value, self._like(other)))

    def __sub__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.sub(self.value, self._like(other)))

    def __mul__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.mul(self.value, self._like(other)))

    def __and__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.and_(self.value, self._like(other)))

    def __or__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.or_(self.value, self._like(other)))

    def __rshift__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.lshr(self.value, self._like(other)))

    def __lshift__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.shl(self.value, self._like(other)))

    def __gt__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.icmp_unsigned(">", self.value, self._like(other)))

    def __lt__(self, other: Vector | int) -> Vector:
        return self._new(self._builder.icmp_unsigned("<", self.value, self._like(other)))

    def not_equal(self, other: Vector | int) -> Vector:
        """Mark the lanes that are not equal."""
        return self._new(self._builder.icmp_unsigned("!=", self.value, self._like(other)))

    def max(self, other: Vector | int) -> Vector:
        """Return the larger of each pair."""
        return self._new(self._builder.select((self > other).value, self.value, self._like(other)))

    def min(self, other: Vector | int) -> Vector:
        """Return the smaller of each pair."""
        return self._new(self._builder.select((self < other).value, self.value, self._like(other)))

    def saturating_sub(self, other: Vector | int) -> Vector:
        """Subtract, stopping at 0."""
        return self._intrinsic("usub.sat", other)

    def abs_diff(self, other: Vector) -> Vector:
        """Return the absolute difference."""
        return self.max(other) - self.min(other)

    def shift_right_signed(self, count: int) -> Vector:
        """Shift right, keeping the sign."""
        return self._new(self._builder.ashr(self.value, self._like(count)))

    def signed_abs(self) -> Vector:
        """Return the absolute value, the numbers read as signed."""
        negative = self._builder.icmp_signed("<", self.value, self._like(0))
        return self._new(self._builder.select(negative, self._builder.neg(self.value), self.value))

    def widen(self, bits: int) -> Vector:
        """Give every lane more bits; a mask becomes 0 and 1."""
        return self._new(self._builder.zext(self.value, ir.VectorType(ir.IntType(bits), self.value.type.count)))

    def narrow(self, bits: int) -> Vector:
        """Keep the lowest bits of every lane."""
        return self._new(self._builder.trunc(self.value, ir.VectorType(ir.IntType(bits), self.value.type.count)))

    def multiply_high(self, other: Vector) -> Vector:
        """Multiply numbers of 16 bits and keep the upper half of the product."""
        return self._intrinsic("umul.fix", other, ir.Constant(ir.IntType(32), 16))

    def select(self, yes: Vector, no: Vector) -> Vector:
        """Take `yes` in the lanes that this mask marks, `no` in the others."""
        return self._new(self._builder.select(self.value, yes.value, no.value))

    def as_uint16(self) -> Vector:
        """Read pairs of adjacent bytes as numbers of 16 bits."""
        return self._new(self._builder.bitcast(self.value, ir.VectorType(ir.IntType(16), self.value.type.count // 2)))

    def to_bits(self) -> Any:
        """Pack a mask of up to 64 lanes into a word."""
        count = self.value.type.count
        packed = self._builder.bitcast(self.value, ir.IntType(count))
        return packed if count == 64 else self._builder.zext(packed, WORD)


class VectorArray:
    """A flat array in memory; `array[at, count]` are the `count` lanes from index `at` on."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        self._builder = builder
        self._element = ir.IntType(kind.dtype.bitwidth)
        self._data = context.make_array(kind)(context, builder, value).data

    def _pointer(self, at: Scalar | int, count: int) -> Any:
        index = at.value if isinstance(at, Scalar) else ir.Constant(WORD, at)
        vector = ir.VectorType(self._element, count)
        return self._builder.bitcast(self._builder.gep(self._data, [index]), vector.as_pointer())

    def __getitem__(self, key: tuple[Scalar | int, int]) -> Vector:
        loaded = self._builder.load(self._pointer(*key))
        loaded.align = 1
        return Vector(self._builder, loaded)

    def __setitem__(self, key: tuple[Scalar | int, int], vector: Vector) -> None:
        self._builder.store(vector.value, self._pointer(*key)).align = 1


class Scalar:
    """A scalar argument: an index (`n + 3`), the same in every lane (`n.splat(...)`) or a mask (`n.to_mask(16)`)."""

    def __init__(self, builder: Any, value: Any) -> None:
        self._builder = builder
        self.value = value if value.type == WORD else builder.zext(value, WORD)

    def __add__(self, other: Scalar | int) -> Any:
        more = other.value if isinstance(other, Scalar) else ir.Constant(WORD, other)
        return Scalar(self._builder, self._builder.add(self.value, more))

    def __sub__(self, other: Scalar | int) -> Any:
        less = other.value if isinstance(other, Scalar) else ir.Constant(WORD, other)
        return Scalar(self._builder, self._builder.sub(self.value, less))

    def splat(self, bits: int, count: int) -> Vector:
        """Copy the number into every lane."""
        kind = ir.VectorType(ir.IntType(bits), count)
        element = self._builder.trunc(self.value, ir.IntType(bits)) if bits < 64 else self.value
        first = self._builder.insert_element(ir.Constant(kind, ir.Undefined), element, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), [ir.Constant(ir.IntType(32), 0)] * count)
        return Vector(self._builder, self._builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros))

    def to_mask(self, count: int) -> Vector:
        """Mark the lanes whose bit is set."""
        packed = self._builder.trunc(self.value, ir.IntType(count)) if count < 64 else self.value
        return Vector(self._builder, self._builder.bitcast(packed, ir.VectorType(BIT, count)))


def simd(function: Function) -> Function:
    """Make a function on arrays and scalars one that kernels can call; it returns a word or nothing."""
    parameters = inspect.signature(function).parameters
    returns_word = inspect.signature(function).return_annotation != "None"

    def typing(_context: Any, *kinds: Any) -> Any:
        signature = (types.uint64 if returns_word else types.void)(*kinds)

        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            arguments = [
                VectorArray(context, builder, kind, value) if isinstance(kind, types.Array) else Scalar(builder, value)
                for kind, value in zip(signature.args, values, strict=True)
            ]
            word = function(*arguments)
            return word if returns_word else context.get_dummy_value()

        return signature, emit

    typing.__name__ = typing.__qualname__ = function.__name__
    typing.__doc__ = function.__doc__
    first = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    cast("Any", typing).__signature__ = inspect.Signature([first, *parameters.values()])
    return cast("Function", inline(typing))


@inline
def popcount(_context: Any, word: Any) -> Any:
    """Return how many bits of a word are set."""

    def emit(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.ctpop(values[0])

    return types.uint64(word), emit


@inline
def trailing_zeros(_context: Any, word: Any) -> Any:
    """Return the index of the lowest set bit of a word; 64 for none."""

    def emit(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(BIT, 0))

    return types.uint64(word), emit


@inline
def pointer(_context: Any, address: Any) -> Any:
    """Return a number as an address in memory, for `carray`."""

    def emit(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], BYTE.as_pointer())

    return types.voidptr(address), emit
