#include "tcb/escrow.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "crypto/cms.h"
#include "tcb/escrow_record.h"
#include "tcb/mixed_random.h"
#include "tcb/state_record.h"
#include "tpm_types/storage_key.h"

namespace warifu::tcb {
namespace {

constexpr std::size_t kAuthSize = 32;
// tpm.h: said because of an answer with integrity. Any other error may be forged, and lockoutAuth be set all the same.
constexpr std::string_view kAlreadyOwned = "tpm.owned";

Bytes sha256(ByteView bytes) {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes());
}

// A certificate that lockoutAuth may be encrypted to. RFC 5280 §6.
Result<crypto::Certificate> check_recipient(const Escrow::Recipient& recipient) {
  std::vector<crypto::Certificate> path;
  for (const Bytes& der : recipient.chain) {
    TRY(auto certificate, crypto::Certificate::from_der(der));
    path.push_back(std::move(certificate));
  }
  const crypto::ExtendedKeyUse use{std::string(kLockoutEscrowUsage)};
  TRY_STATUS(crypto::verify_certificate_path(path, recipient.root, use, recipient.time));
  return path.front().clone();
}

// A TPM drops zeros at the end of an auth value (TPM 2.0 Part 1, "Authorization Values"), and whoever computes an HMAC
// with them kept would be refused: so there are none.
Result<SecretBytes> draw_auth(Tpm& tpm, Entropy& entropy) {
  for (;;) {
    TRY(auto auth, mixed_random(tpm, entropy, "lockoutAuth", kAuthSize));
    if (auth.reveal().back() != 0) return auth;
  }
}

struct PackageFacts {
  std::string registration_id;
  std::string ek_name;  // hexadecimal
  Timestamp created_at;
};

// None of the texts needs escaping: identifiers, hexadecimal and a time.
SecretBytes package_text(const PackageFacts& facts, const SecretBytes& auth) {
  std::string auth_hex = to_hex(auth.reveal());
  std::string text =
      fmt::format(R"({{"kind":"tpm-lockout-auth","registration_id":"{}","ek_name":"{}","created_at":"{}","auth":")",
                  facts.registration_id, facts.ek_name, to_rfc3339(facts.created_at));
  constexpr std::string_view kEnd = "\"}";
  // Not by fmt::format(), whose buffer nobody wipes, and in one piece of memory.
  text.reserve(text.size() + auth_hex.size() + kEnd.size());
  text.append(auth_hex).append(kEnd);
  auto secret = SecretBytes::copy_of(as_bytes(text));
  wipe(auth_hex);
  wipe(text);
  return secret;
}

Error foreign() {
  return {ErrorKind::kConflict, "tcb.escrow.foreign",
          "lockoutAuth of this TPM is set, and no package of it is here: somebody else owns the TPM. Clear it in the "
          "firmware's setup, or with the auth value of the one who set it"};
}

}  // namespace

// The order, and why nothing is lost by a power cut. With S the TPM's word that lockoutAuth is set (an answer with
// integrity, see tpm_device) and P a package on disk whose SRK is the present one:
//
//   not S, no P    the beginning. A package is made and stored durably, and only then lockoutAuth is set. Cut before
//   the
//                  store: this state again. Between the two: the next line. After: S and P.
//   not S, P       cut between the two, or own() failed. The auth of P went with the process that drew it, and as the
//   TPM
//                  says that none is set, P opens nothing and never will: TPM commands are executed one by one, and the
//                  one that could have set it is over. So P is replaced by a new package, in one step, before the new
//                  auth is set. There is no need to keep both. It does harm nobody if the server got P: the later
//                  package replaces it there.
//   S, P           done. After an error of own() whose outcome nobody knows, this line or the one above is the truth,
//                  which is why an error does not remove P, except "already set", which says that P is not it.
//   S, no P        somebody else's: they must say so, we must not.
//
// A package with another SRK is of before a TPM2_Clear, which ended its lockoutAuth, and counts as none. The word
// "ours" in S, P rests on the SRK alone: between a P that was never set and somebody else who set one without clearing,
// this cannot tell. That takes an administrator of this very device in the moment of a power cut; their value would
// fail to open, and nothing of ours would be disclosed.
Status Escrow::own(const Recipient& recipient, const RegistrationId& registration) {
  TRY(const auto certificate, check_recipient(recipient));
  TRY(const auto status, tpm_.status());
  TRY(const auto existing, current());
  if (existing) return {};
  if (status.lockout_auth_set) return foreign();

  TRY(const auto keys, tpm_.keys());
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(keys.ek_public));
  TRY(const auto auth, draw_auth(tpm_, entropy_));
  const PackageFacts facts{registration.text(), to_hex(ek.name().bytes()), recipient.time.now};
  TRY(const Bytes package, crypto::cms_encrypt(certificate, package_text(facts, auth)));
  TRY_STATUS(files_.replace(EscrowRecord::kFile, write_escrow({package, sha256(keys.srk_public), false})));
  Status set = tpm_.own(auth, DictionaryAttackParameters());
  if (!set && set.error().code == kAlreadyOwned) TRY_STATUS(forget());
  return set;
}

Result<std::optional<Escrow::Package>> Escrow::current() {
  TRY(auto record, read_record(files_, journal_, EscrowRecord::kFile, parse_escrow));
  if (!record) return std::nullopt;
  TRY(const auto status, tpm_.status());
  TRY(const auto keys, tpm_.keys());
  if (!status.lockout_auth_set || record->srk_digest != sha256(keys.srk_public)) return std::nullopt;
  return Package{std::move(record->package), record->delivered};
}

crypto::Digest Escrow::Package::sha256() const {
  return crypto::digest(crypto::HashAlgorithm::kSha256, {cms});
}

Status Escrow::delivered(ByteView package_sha256) {
  TRY(const auto package, current());
  if (!package || !std::ranges::equal(package->sha256().bytes(), package_sha256))
    return Error{ErrorKind::kConflict, "tcb.escrow.other", "this is not the digest of the package that is kept here"};
  if (package->delivered) return {};
  TRY(const auto keys, tpm_.keys());
  return files_.replace(EscrowRecord::kFile, write_escrow({package->cms, sha256(keys.srk_public), true}));
}

Status Escrow::forget() {
  return files_.remove(EscrowRecord::kFile);
}

}  // namespace warifu::tcb
