#include "tpm_types/application_key.h"

#include "wire/writer.h"

namespace warifu::tpm {
namespace {

constexpr auto kPolicyHash = crypto::HashAlgorithm::kSha256;
constexpr std::uint32_t kCommandHmac = 0x00000155;  // TPM2_CC_HMAC

}  // namespace

Bytes acknowledgement_message(const RegistrationId& registration, const Label& name, std::uint32_t version,
                              ByteView nonce) {
  return wire::Writer(256)
      .bytes(as_bytes(kAcknowledgementPrefix))
      .u8(0)
      .sized16(as_bytes(registration.text()))
      .sized16(as_bytes(name.text()))
      .u32(version)
      .sized16(nonce)
      .take();
}

Uncapped uncapped(std::uint8_t pcr) {
  // A register that nobody extended is zero, and the digest is the hash over its value.
  const crypto::Digest zero(kPolicyHash);
  return {{kPolicyHash, std::uint32_t{1} << pcr}, crypto::digest(kPolicyHash, {zero.bytes()})};
}

crypto::Digest uncapped_policy(std::uint8_t pcr) {
  const auto [selection, digest] = uncapped(pcr);
  return PolicyDigest(kPolicyHash).pcr(selection, digest).value();
}

HmacUse application_key_use(std::uint8_t capped_by) {
  if (capped_by != 0) return {ObjectAttributes{kSign | kNoDa}, to_bytes(uncapped_policy(capped_by).bytes())};
  return {ObjectAttributes{kSign | kNoDa | kUserWithAuth},
          to_bytes(PolicyDigest(kPolicyHash).command_code(kCommandHmac).bytes())};
}

crypto::Digest capping_digest() {
  return crypto::digest(kPolicyHash, {as_bytes("warifu application keys are capped")});
}

}  // namespace warifu::tpm
