#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::tpm {

// A certificate as an NV index or a file of it holds it: views into the input.
struct StoredCertificate {
  ByteView der;
  bool has_header = false;   // TCG_PCCLIENT_STORED_CERT stood before it
  std::size_t padding = 0;   // bytes after it, which count for nothing
  bool odd_padding = false;  // they are not all 00 or all FF: worth a finding, as nothing belongs there
};

// Cuts the one DER SEQUENCE out. Manufacturers define the index larger than the certificate and leave zeros or ones
// (TCG EK Credential Profile), and TPM 1.2 put TCG_PCCLIENT_STORED_CERT before it (TCG PC Client Specific
// Implementation Specification for Conventional BIOS 1.21: tag 1001, type, size, and 1002 for a full certificate;
// the size counts that tag). "tpm.ek-certificate" when there is no whole SEQUENCE.
Result<StoredCertificate> stored_certificate(ByteView content);

// The certificates of a chain that stands in the NV beside them, one after another: views into the input, in their
// order. What follows the last one fills the index up. Empty when one of them is cut off, or there are more than
// `count_max`.
std::vector<ByteView> stored_chain(ByteView content, std::size_t count_max);

}  // namespace warifu::tpm
