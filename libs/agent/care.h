#pragma once

#include <vector>

#include "agent/outside.h"

namespace warifu::agent {

// Looks after the TPM: its lockout password belongs to the organisation, which gets it encrypted before it is set.
// Nothing here stops a device from being provisioned: what does not work is noted, and done at the next contact.
class Care {
 public:
  explicit Care(Outside& outside) : outside_(outside) {}

  // The first request of each contact: it says nothing about the device, and with it the TCB judges the server. The
  // chain of the escrow certificate; empty when the server takes none. Fails only when the server is not reached or
  // not the right one.
  Result<std::vector<Bytes>> greet();
  // Sets a lockoutAuth where none is set, if there is a chain to encrypt it to.
  void own(std::vector<Bytes> escrow_chain);
  // Brings the package to the server, if there is one that it has not got.
  void deliver();

 private:
  Status try_to_own(std::vector<Bytes> escrow_chain);
  Status try_to_deliver();

  Outside& outside_;
};

}  // namespace warifu::agent
