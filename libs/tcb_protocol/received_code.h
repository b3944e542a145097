#pragma once

#include <string_view>

namespace warifu::tcb_protocol {

// The code of an Error is a view of text that outlives it, usually of a literal. A code that came in a frame is kept,
// once, for the life of the program; only so many of them that a broken peer cannot fill the memory. "tcb.error" for
// one that has not the form of a code, and for all further ones. Safe to call from several threads.
std::string_view keep_received_code(std::string_view code);

}  // namespace warifu::tcb_protocol
