"""Bit strings as they travel: eight to a byte, the first bit in the least significant place."""

import numpy as np
from numpy.typing import NDArray

from emulator.wire.errors import WireError

__all__ = ["check_packed", "pack_bits", "packed_bytes", "unpack_bits"]


def packed_bytes(count: int) -> int:
    """Bytes that hold ``count`` bits."""
    return -(-count // 8)


def pack_bits(bits: NDArray[np.bool_] | NDArray[np.uint8]) -> bytes:
    """Pack an array of shape (n,), True or non-zero meaning 1, into ceil(n / 8) bytes.

    The same order as Stim's b8 format and CUDA-Q's TYPE_BIT_PACKED: bit 0 first, unused bits 0.
    """
    return np.packbits(bits, bitorder="little").tobytes()


def unpack_bits(packed: bytes, count: int) -> NDArray[np.uint8]:
    """Unpack ``count`` bits into an array of shape (count,), dtype uint8, values 0 and 1.

    Raises WireError unless ``packed`` has exactly ceil(count / 8) bytes with unused bits 0.
    """
    check_packed(packed, count)
    array = np.frombuffer(packed, dtype=np.uint8)
    return np.unpackbits(array, count=count, bitorder="little")


def check_packed(packed: bytes, count: int) -> None:
    """Raise WireError unless ``packed`` is a bit string of ``count`` bits."""
    if len(packed) != packed_bytes(count):
        raise WireError(f"{count} bits take {packed_bytes(count)} bytes, not {len(packed)}.")
    if count % 8 and packed[-1] >> count % 8:
        raise WireError(f"unused bits of the last byte 0x{packed[-1]:02X} must be 0.")
