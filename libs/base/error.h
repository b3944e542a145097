#pragma once

#include <string>
#include <string_view>

namespace warifu {

// What the caller can do about an error. Decides the exit code of a program and the HTTP status of an API.
enum class ErrorKind {
  kInvalidInput,     // the bytes or the request are malformed: mend them
  kUnauthenticated,  // nobody proved who they are
  kRefused,          // who it is was proved, and the answer is no
  kNotFound,
  kConflict,     // it clashes with what is stored
  kThrottled,    // too much at once: come back later
  kUnavailable,  // something that we need is away (disk full, network, TPM): try again later
  kInternal,     // a defect of ours
};

// Why something did not happen. The code is stable: APIs, metrics and tests name it. The message is for a person and
// says what was expected and what came. `where` is the field and the offset, when the cause is a place in some input.
struct Error {
  ErrorKind kind;
  std::string_view code;  // a string literal, like "tpm.public.attributes"
  std::string message;
  std::string where = {};
  // What only an operator may know, like an enrolled value. No answer to a device and no to_string() holds it.
  std::string operator_detail = {};
};

// "message (at where)"
std::string to_string(const Error& error);
// "message (at where): operator_detail", for those who may know all of it.
std::string to_operator_string(const Error& error);

// The name of the kind, as it stands in logs: "invalid-input", "not-found".
std::string_view to_string(ErrorKind kind);

// The exit code of every program (docs/programs): 1 the answer is no, 2 bad input or usage, 3 not reachable.
int exit_code(ErrorKind kind);

}  // namespace warifu
