#pragma once

#include "frames/protocol.h"

namespace warifu::signer_protocol {

inline constexpr frames::Protocol kProtocol{
    .request_magic = 0x5753,  // "WS"
    .answer_magic = 0x5742,   // "WB"
    .version = 1,
    .speakers = "warifud and warifu-signer",
    .codes = {.magic = "signer_protocol.magic",
              .version = "signer_protocol.version",
              .operation = "signer_protocol.operation",
              .limit = "signer_protocol.limit",
              .value = "signer_protocol.value",
              .other = "signer.error"},
};

inline constexpr frames::Service kService{
    .protocol = kProtocol,
    .program = "warifu-signer",
    .start = "systemctl start warifu-signer",
    .callers = "the server's user or root",
    .if_slow = "are its token or TPM in order?",
    .codes = {.unreachable = "signer.unreachable",
              .refused = "signer.no_entry",
              .answer = "signer.answer",
              .busy = "signer.busy"},
};

}  // namespace warifu::signer_protocol
