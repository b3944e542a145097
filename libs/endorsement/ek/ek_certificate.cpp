#include "endorsement/ek/ek_certificate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "crypto/roca.h"
#include "endorsement/ek/pem.h"
#include "tpm_types/stored_certificate.h"

namespace warifu::endorsement {
namespace {

constexpr std::string_view kEkPurpose = "2.23.133.8.1";  // tcg-kp-EKCertificate

TpmAttributes tpm_attributes(const X509Certificate& x509) {
  for (const Name& name : x509.extensions.directory_names) {
    const std::string_view manufacturer = name.find("2.23.133.2.1");
    if (!manufacturer.empty())
      return {std::string(manufacturer), std::string(name.find("2.23.133.2.2")),
              std::string(name.find("2.23.133.2.3"))};
  }
  return {};
}

// What a key is for that a challenge is encrypted to: RSA decrypts, EC agrees (profile, 3.5).
KeyUsage usage_of_ek(const SubjectKey& key) {
  return std::holds_alternative<RsaSubjectKey>(key) ? KeyUsage::kKeyEncipherment : KeyUsage::kKeyAgreement;
}

Status check_key(const SubjectKey& key) {
  const auto* rsa = std::get_if<RsaSubjectKey>(&key);
  // Whoever has the certificate can compute the private key: what is encrypted to it proves no TPM.
  if (rsa != nullptr && crypto::is_roca_key(rsa->modulus))
    return refused("endorsement.ek.roca", "expected a sound key, one of CVE-2017-15361 (ROCA) came");
  if (const auto* other = std::get_if<OtherSubjectKey>(&key))
    return refused("endorsement.ek.key", fmt::format("expected an RSA key or one on P-256, P-384 or P-521, {} {} came",
                                                     other->algorithm, other->parameters));
  // The same bounds as those of an authority's key.
  if (!issuer_key(key))
    return refused("endorsement.ek.key",
                   rsa == nullptr
                       ? "expected a point on its curve, another one came"
                       : fmt::format("expected an RSA modulus of 2048 to 8192 bits and an odd exponent from 3 to "
                                     "2^32 - 1, {} bytes and the exponent {} came",
                                     rsa->modulus.size(), to_hex(rsa->exponent)));
  return {};
}

Result<Bytes> only_certificate(std::string_view text) {
  TRY(auto blocks, pem_blocks(text));
  if (blocks.size() != 1)
    return invalid_input("endorsement.pem", fmt::format("expected one certificate, {} blocks came", blocks.size()));
  return std::move(blocks.front().content);
}

}  // namespace

std::string_view to_string(Finding finding) {
  switch (finding) {
    case Finding::kPadding:
      return "padding";
    case Finding::kOddPadding:
      return "odd-padding";
    case Finding::kStoredCertHeader:
      return "stored-cert-header";
    case Finding::kNotDer:
      return "not-der";
    case Finding::kOaepKey:
      return "oaep-key";
    case Finding::kSubject:
      return "subject";
    case Finding::kAltNameNotCritical:
      return "alt-name-not-critical";
    case Finding::kNoBasicConstraints:
      return "no-basic-constraints";
    case Finding::kNoKeyUsage:
      return "no-key-usage";
    case Finding::kSigningKey:
      return "signing-key";
    case Finding::kSha1Signature:
      return "sha1-signature";
    case Finding::kTimeNotChecked:
      return "time-not-checked";
    case Finding::kRevocationUnknown:
      return "revocation-unknown";
    case Finding::kRevocationStale:
      return "revocation-stale";
  }
  return "unknown";
}

Result<EkCertificate> EkCertificate::parse(ByteView content) {
  Bytes decoded;
  if (looks_like_pem(content)) {
    TRY(decoded, only_certificate(as_text(content)));
    content = decoded;
  }
  TRY(const auto stored, tpm::stored_certificate(content));
  TRY(auto x509, X509Certificate::parse(stored.der));
  EkCertificate out(std::move(x509));
  out.padding_ = stored.padding;
  if (stored.padding > 0) out.findings_.push_back(stored.odd_padding ? Finding::kOddPadding : Finding::kPadding);
  if (stored.has_header) out.findings_.push_back(Finding::kStoredCertHeader);
  out.tpm_ = tpm_attributes(out.x509_);
  out.find_oddities();
  return out;
}

void EkCertificate::find_oddities() {
  const Extensions& extensions = x509_.extensions;
  const auto note = [&](bool is_so, Finding finding) {
    if (is_so) findings_.push_back(finding);
  };
  const auto* rsa = std::get_if<RsaSubjectKey>(&x509_.key);
  note(x509_.has_der_violations(), Finding::kNotDer);
  note(rsa != nullptr && rsa->oaep, Finding::kOaepKey);
  note(!x509_.subject.empty(), Finding::kSubject);
  note(x509_.subject.empty() && !extensions.subject_alt_name_is_critical, Finding::kAltNameNotCritical);
  note(!extensions.has_basic_constraints, Finding::kNoBasicConstraints);
  note(!extensions.key_usage, Finding::kNoKeyUsage);
  note(extensions.may(KeyUsage::kDigitalSignature) && !extensions.may(usage_of_ek(x509_.key)), Finding::kSigningKey);
}

bool EkCertificate::names_ek_purpose() const {
  return std::ranges::find(x509_.extensions.extended_key_usage, kEkPurpose) !=
         x509_.extensions.extended_key_usage.end();
}

Status EkCertificate::check_challenge() const {
  const Extensions& extensions = x509_.extensions;
  if (!extensions.key_usage || extensions.may(usage_of_ek(x509_.key))) return {};
  return refused("endorsement.ek.key-usage",
                 fmt::format("expected keyUsage to have {}, the bits {:#x} came",
                             std::holds_alternative<RsaSubjectKey>(x509_.key) ? "keyEncipherment for an RSA key"
                                                                              : "keyAgreement for an EC key",
                             *extensions.key_usage));
}

Status EkCertificate::check_purpose() const {
  if (x509_.extensions.is_ca)
    return refused("endorsement.ek.authority",
                   "expected the certificate of an EK, that of an authority came (CA:TRUE)");
  if (!names_ek_purpose())
    return refused("endorsement.ek.purpose",
                   fmt::format("expected the extended key usage {} of an EK certificate, it has {}", kEkPurpose,
                               x509_.extensions.extended_key_usage.empty()
                                   ? "none"
                                   : fmt::format("{}", fmt::join(x509_.extensions.extended_key_usage, ", "))));
  if (!x509_.extensions.unknown_critical.empty())
    return refused("endorsement.ek.critical", fmt::format("the critical extension {} is not understood",
                                                          x509_.extensions.unknown_critical.front()));
  if (!tpm_.vendor())
    return refused(
        "endorsement.ek.tpm",
        fmt::format("expected a TPM manufacturer like id:53544D20 in subjectAltName, \"{}\" came", tpm_.manufacturer));
  TRY_STATUS(check_key(x509_.key));
  // A key that says that it signs is a finding instead: Google certifies such keys of its TPMs as EKs.
  return x509_.extensions.may(KeyUsage::kDigitalSignature) ? Status() : check_challenge();
}

}  // namespace warifu::endorsement
