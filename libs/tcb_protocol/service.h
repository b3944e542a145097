#pragma once

#include "frames/protocol.h"

namespace warifu::tcb_protocol {

inline constexpr frames::Protocol kProtocol{
    .request_magic = 0x5754,  // "WT"
    .answer_magic = 0x5741,   // "WA"
    .version = 1,
    .speakers = "agent and TCB",
    .codes = {.magic = "tcb_protocol.magic",
              .version = "tcb_protocol.version",
              .operation = "tcb_protocol.operation",
              .limit = "tcb_protocol.limit",
              .value = "tcb_protocol.value",
              .other = "tcb.error"},
};

inline constexpr frames::Service kService{
    .protocol = kProtocol,
    .program = "warifu-tcb",
    .start = "systemctl start warifu-tcb",
    .callers = "the agent's user or root",
    .if_slow = "is its TPM in order?",
    .codes = {.unreachable = "tcb.unreachable", .refused = "tcb.refused", .answer = "tcb.answer", .busy = "tcb.busy"},
};

}  // namespace warifu::tcb_protocol
