#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "crypto/public_key.h"
#include "measured_boot/ima/match.h"

namespace warifu::measured_boot::ima {

// The keys whose signatures on files are believed: the operator's, of a distribution. Keys that a device measures into
// its own keyrings (ima-buf) are not among them until an operator adds them.
class Keyring {
 public:
  // The kernel's key id: the last four bytes of the subject key identifier, here the SHA-1 of the subjectPublicKey.
  void add(crypto::PublicKey key);
  // For a certificate that says another subject key identifier; it has at least four bytes.
  void add(crypto::PublicKey key, ByteView subject_key_id);

  // All keys of that id: it has 32 bits, so that two keys may share it.
  std::vector<const crypto::PublicKey*> find(std::uint32_t key_id) const;

 private:
  std::unordered_multimap<std::uint32_t, crypto::PublicKey> keys_;
};

struct SignatureVerdict {
  enum class Kind : std::uint8_t {
    kNone,        // the entry has no signature
    kValid,       // a key of the keyring made it, for the digest that was measured
    kUnknownKey,  // fails (I12): it says as much as none
    kInvalid,
    kNotJudged,  // a form that we do not verify, or an entry without the fields for it; no better than none
  };
  Kind kind = Kind::kNone;
  std::optional<std::uint32_t> key_id;
  std::string reason;  // for a person; empty if it is valid

  bool is_valid() const { return kind == Kind::kValid; }
};

// A signature of the file of an entry (I12), in this order: security.ima in `sig`, of version 2 over the digest that
// was measured, or of version 3 over a digest of fs-verity; the portable signature of EVM in `evmsig` or `sig`, over
// extended attributes, owner, group and mode, and through security.ima among them over the digest. Appended signatures
// (modsig) are not judged. docs/protocols/ima.md, "Signatures", has the formats and their sources.
SignatureVerdict judge_signature(const ProvedEntry& entry, const Keyring& keyring);

}  // namespace warifu::measured_boot::ima
