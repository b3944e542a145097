#include "measured_boot/ima/signature_format.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "wire/reader.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;

struct KernelHash {
  std::uint8_t number;
  HashAlgorithm hash;
};
constexpr std::array kKernelHashes = {KernelHash{2, HashAlgorithm::kSha1}, KernelHash{4, HashAlgorithm::kSha256},
                                      KernelHash{5, HashAlgorithm::kSha384}, KernelHash{6, HashAlgorithm::kSha512},
                                      KernelHash{17, HashAlgorithm::kSm3}};

Result<SignatureV2> parse(ByteView xattr) {
  wire::Reader reader(xattr);
  SignatureV2 signature;
  TRY(const std::uint8_t type, reader.u8("type"));
  signature.type = XattrType{type};
  TRY(signature.version, reader.u8("version"));
  TRY(const std::uint8_t number, reader.u8("hash"));
  const auto* known = std::ranges::find(kKernelHashes, number, &KernelHash::number);
  if (known == kKernelHashes.end()) return invalid_input("ima.signature", "expected a hash that we have");
  signature.hash = known->hash;
  TRY(signature.key_id, reader.u32("key id"));
  TRY(signature.bytes, reader.sized16("signature"));
  TRY_STATUS(reader.expect_done("signature"));
  return signature;
}

}  // namespace

std::uint8_t kernel_hash_number(HashAlgorithm hash) {
  const auto* known = std::ranges::find(kKernelHashes, hash, &KernelHash::hash);
  if (known == kKernelHashes.end()) std::abort();
  return known->number;
}

std::optional<SignatureV2> parse_signature(ByteView xattr) {
  const auto signature = parse(xattr);
  return signature ? std::optional(*signature) : std::nullopt;
}

}  // namespace warifu::measured_boot::ima
