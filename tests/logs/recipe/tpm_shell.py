#!/usr/bin/env python3
"""Gives a command the TPM of a swtpm whose machine is gone: tpm_shell.py CONTROL-SOCKET COMMAND...

QEMU hands its end of a socket pair to swtpm (CMD_SET_DATAFD, "swtpm_ioctls"); so do we. The registers are as the machine left them.
"""

import array
import os
import select
import socket
import struct
import subprocess
import sys

CMD_SET_DATAFD = 0x10
RESPONSE_MAX = 4096


def connect(control_path):
    """Our end of a socket pair, of which swtpm has the other."""
    control = socket.socket(socket.AF_UNIX)
    control.connect(control_path)
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))]
    control.sendmsg([struct.pack(">I", CMD_SET_DATAFD)], rights)
    if control.recv(4) != b"\0\0\0\0":
        sys.exit("swtpm takes no other connection")
    return ours, control


def relay(data):
    """Between a tool's pipes and the TPM. One process, which ends with the tool, so that no other reads a later answer."""
    while True:
        readable, _, _ = select.select([0, data], [], [])
        for source in readable:
            part = os.read(source, RESPONSE_MAX)
            if not part:
                return
            os.write(data if source == 0 else 1, part)


if sys.argv[1] == "--relay":
    relay(int(sys.argv[2]))
else:
    ours, control = connect(sys.argv[1])
    tcti = f"cmd:exec python3 {os.path.abspath(__file__)} --relay {ours.fileno()}"
    environment = {**os.environ, "TPM2TOOLS_TCTI": tcti}
    sys.exit(subprocess.run(sys.argv[2:], env=environment, pass_fds=[ours.fileno()], timeout=60).returncode)
