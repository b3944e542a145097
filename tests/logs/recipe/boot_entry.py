#!/usr/bin/env python3
"""Prints an EFI_LOAD_OPTION (UEFI 2.10, 3.1.3) as efivarfs takes it: boot_entry.py PATH OPTIONS."""

import struct
import sys


def text(value):
    return (value + "\0").encode("utf-16-le")


path, options = sys.argv[1:]
name = text(path)
# The short form: a file path node alone, on whatever disk has that file (UEFI 2.10, 3.1.2).
device_path = struct.pack("<BBH", 4, 4, 4 + len(name)) + name + struct.pack("<BBH", 0x7F, 0xFF, 4)
attributes_of_variable = 7  # non-volatile, of boot and of runtime
active = 1
entry = struct.pack("<IH", active, len(device_path)) + text("Warifu test") + device_path + text(options)
sys.stdout.buffer.write(struct.pack("<I", attributes_of_variable) + entry)
