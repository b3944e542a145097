#pragma once

#include <cstdint>

namespace warifu::signer {

// Who asks, by the kernel's word. Where everything runs as one user, a caller is both.
struct Caller {
  std::uint32_t user;     // uid
  bool is_server;         // warifud's user: asks for what its roles allow
  bool is_administrator;  // root, or the signer's own user
};

}  // namespace warifu::signer
