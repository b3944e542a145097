#include "attestation/appraisal/places.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace warifu::attestation {

std::string place(crypto::HashAlgorithm bank, measured_boot::RegisterIndex index) {
  return fmt::format("{}:{}", measured_boot::bank_name(bank), index);
}

std::string place(const measured_boot::Bank& bank, measured_boot::RegisterIndex index) {
  return place(bank.algorithm(), index);
}

std::string hex_of(const crypto::Digest* digest) {
  return digest == nullptr ? "" : to_hex(digest->bytes());
}

}  // namespace warifu::attestation
