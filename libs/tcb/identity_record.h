#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "tcb/host_name.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// What the server assigned: the state file "identity". Its key is wrapped, so that only this TPM, not yet cleared, can
// use it.
struct IdentityRecord {
  static constexpr std::string_view kFile = "identity";

  HostName hub;
  DeviceId device;
  WrappedObject key;
};

Bytes write_identity(const IdentityRecord& identity);
// "tcb.state.form", the codes of wire::Reader, HostName and DeviceId.
Result<IdentityRecord> parse_identity(ByteView content);

}  // namespace warifu::tcb
