#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"
#include "crypto/digest.h"
#include "tpm_types/hmac_use.h"
#include "tpm_types/policy_digest.h"

// What server and device agree on about keys for applications (docs/protocols/application-keys.md).
namespace warifu::tpm {

// HMAC-SHA256 keys: shorter than the digest would be weaker than it, a longer one than the block would be hashed.
inline constexpr std::size_t kApplicationKeySizeMin = 16;
inline constexpr std::size_t kApplicationKeySizeMax = 64;

// Every acknowledgement begins so, and nothing that an application has authenticated does.
inline constexpr std::string_view kAcknowledgementPrefix = "warifu application key acknowledgement v1";

// What the HMAC of an acknowledgement is over: the prefix, a zero byte, then registration ID and name, each after its
// size of 16 bits, the version (32 bits), and the server's nonce after its size.
Bytes acknowledgement_message(const RegistrationId& registration, const Label& name, std::uint32_t version,
                              ByteView nonce);

// PCRs that may cap a key: extended by whoever likes (locality 0), and back to zero by a TPM Reset alone (TCG PC Client
// Platform TPM Profile, "PCR Attributes"). Those below are the firmware's and IMA's, and 16 and 23 can be reset.
inline constexpr std::uint8_t kCappingPcrFirst = 12;
inline constexpr std::uint8_t kCappingPcrLast = 15;
constexpr bool may_cap(std::uint64_t pcr) {
  return pcr >= kCappingPcrFirst && pcr <= kCappingPcrLast;
}

// This PCR of the SHA-256 bank, and the digest that TPM2_PolicyPCR has while nobody has extended it in this boot.
struct Uncapped {
  PolicyPcrs selection;
  crypto::Digest digest;
};
Uncapped uncapped(std::uint8_t pcr);
// authPolicy of a key that works until the PCR is extended, and again after the next TPM Reset.
crypto::Digest uncapped_policy(std::uint8_t pcr);
// The use of such a key in its public area; of one that nothing caps (0) it is userWithAuth with an authPolicy that
// nobody needs to satisfy. It is the mark of an application's key: a hub key has none, so neither is taken for the
// other.
HmacUse application_key_use(std::uint8_t capped_by);
// What a PCR is extended with so that its keys work no longer. Anything else would do as well.
crypto::Digest capping_digest();

}  // namespace warifu::tpm
