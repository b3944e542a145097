#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// The state file "certificates": in one file, so that a key and its certificate change together.
struct CertificatesRecord {
  static constexpr std::string_view kFile = "certificates";

  struct Issued {
    std::vector<Bytes> chain;  // DER, the certificate first, without the root; at least one
    Timestamp renew_after;     // whole seconds, from 1970 to 9999
  };
  struct LDevId {
    WrappedObject key;
    Issued issued;
  };

  std::optional<WrappedObject> waiting;  // the key of an LDevID that has no certificate yet
  std::optional<LDevId> current;
  std::optional<LDevId> previous;  // still good until it ends, when the current one is not taken yet
  std::optional<Issued> idevid;    // its key is made from a template
};

Bytes write_certificates(const CertificatesRecord& record);
// "tcb.state.form", "crypto.certificate.form" and the codes of wire::Reader.
Result<CertificatesRecord> parse_certificates_record(ByteView content);

}  // namespace warifu::tcb
