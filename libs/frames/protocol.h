#pragma once

#include <cstdint>
#include <string_view>

namespace warifu::frames {

// What tells one protocol over frames from another. The texts are literals: they become codes of an Error.
struct Protocol {
  std::uint16_t request_magic;
  std::uint16_t answer_magic;
  std::uint8_t version;
  std::string_view speakers;  // "agent and TCB"

  // The codes of what cannot be read or written.
  struct Codes {
    std::string_view magic;
    std::string_view version;
    std::string_view operation;
    std::string_view limit;
    std::string_view value;
    std::string_view other;  // of an error that arrived and whose code is none
  } codes;
};

// The program that answers, as its clients know it.
struct Service {
  const Protocol& protocol;
  std::string_view program;  // "warifu-tcb"
  std::string_view start;    // how it is started: "systemctl start warifu-tcb"
  std::string_view callers;  // who may connect: "the agent's user or root"
  std::string_view if_slow;  // what to look at: "is its TPM in order?"

  struct Codes {
    std::string_view unreachable;
    std::string_view refused;
    std::string_view answer;  // what came is no frame
    std::string_view busy;
  } codes;
};

}  // namespace warifu::frames
