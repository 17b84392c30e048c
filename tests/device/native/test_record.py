"""Records that kernels and Python share: laid out as C has them, and refused where C has no such thing."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pytest

from telstraat_device.errors import KernelError
from telstraat_device.native.kernel import Address, address, entry
from telstraat_device.native.record import layout, scalar
from telstraat_device.native.simd import carray, pointer


class Wheel:
    """A record inside another one."""

    spokes: Annotated[int, np.int8]
    radius: float


WHEEL = layout(Wheel)


class Cart:
    """A record of every kind of field."""

    loaded: bool
    number: int
    place: Address
    speed: float
    wheels: Annotated[Any, (WHEEL, 2)]
    load: Annotated[Any, (np.float64, (2, 3))]


CART = layout(Cart)


@entry
def drive_cart(cart: Address, faster: float, loaded: bool) -> int:
    """Change every kind of field from machine code."""
    record = carray(pointer(cart), (1,), CART)[0]
    record.loaded, record.number, record.speed = loaded, record.number + 1, record.speed + faster
    record.wheels[1].spokes, record.wheels[1].radius = 12, 0.5
    record.load[1, 2] = 7.0
    return int(record.number)


def test_fields_lie_as_in_a_struct_of_c() -> None:
    assert CART.names == ("loaded", "number", "place", "speed", "wheels", "load")
    assert CART.isalignedstruct
    assert CART.fields is not None
    assert [CART.fields[name][1] for name in CART.fields] == [0, 8, 16, 24, 32, 64]
    assert (WHEEL.itemsize, CART.itemsize) == (16, 112)


def test_what_machine_code_writes_is_what_python_reads() -> None:
    carts = np.zeros(1, CART)
    assert drive_cart(address(carts), 2.5, True) == 1
    assert drive_cart(address(carts), 2.5, True) == 2
    assert (bool(carts["loaded"][0]), float(carts["speed"][0])) == (True, 5.0)
    assert carts["wheels"][0, 1].item() == (12, 0.5)
    assert carts["load"][0].tolist() == [[0, 0, 0], [0, 0, 7]]


def test_a_number_of_a_record_is_read_and_written_as_python_s_own() -> None:
    carts = np.zeros(1, CART)
    speed = scalar(carts, "speed")
    carts["speed"] = 1.5
    assert speed[0] == 1.5
    speed[0] = 2.5
    assert float(carts["speed"][0]) == 2.5


def test_an_entry_with_a_parameter_that_c_does_not_have_is_refused() -> None:
    def take_list(values: list[int]) -> int:
        return len(values)

    with pytest.raises(KernelError, match=r"entry take_list takes list\[int\]; C has Address, int, bool, float"):
        entry(take_list)


def test_two_entries_of_one_name_are_refused_because_the_library_has_one_symbol() -> None:
    def drive_cart(_cart: Address) -> int:
        return 0

    with pytest.raises(KernelError, match="two entries are called drive_cart"):
        entry(drive_cart)
