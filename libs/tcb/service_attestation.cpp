#include <fmt/format.h>

#include <algorithm>

#include "tcb/mixed_random.h"
#include "tcb/service.h"
#include "tcb_protocol/limits.h"
#include "tpm_types/attest.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;
using crypto::HashAlgorithm;

// Of a quote while something measures.
constexpr int kQuotesMax = 5;

RegisterSelection selection_of(RegisterLists lists) {
  RegisterSelection selection;
  const auto add = [&](HashAlgorithm bank, std::vector<std::uint8_t>& pcrs) {
    if (!pcrs.empty()) selection.push_back({bank, std::move(pcrs)});
  };
  add(HashAlgorithm::kSha1, lists.sha1);
  add(HashAlgorithm::kSha256, lists.sha256);
  add(HashAlgorithm::kSha384, lists.sha384);
  add(HashAlgorithm::kSha512, lists.sha512);
  return selection;
}

bool is_of(const tpm::PcrSelections& quoted, const RegisterSelection& asked) {
  const auto mask = [](const PcrList& pcrs) {
    std::uint32_t bits = 0;
    for (const std::uint8_t pcr : pcrs)
      bits |= std::uint32_t{1} << pcr;
    return bits;
  };
  return std::ranges::equal(quoted, asked, [&](const tpm::PcrSelection& one, const BankRegisters& other) {
    return one.bank == other.bank && one.indices == mask(other.pcrs);
  });
}

// pcrDigest is made with the hash of the signing scheme (Part 1, "Quote"), which for our AK is SHA-256.
bool is_digest_of(const tpm::QuoteAttest& attest, ByteView values) {
  return std::ranges::equal(attest.pcr_digest, crypto::digest(HashAlgorithm::kSha256, {values}).bytes());
}

}  // namespace

Result<AttestationKey::Answer> Service::run(Caller, AttestationKey) {
  TRY(auto keys, world_.tpm.keys());
  TRY(auto ak, world_.tpm.attestation_key());
  return AttestationKey::Answer{std::move(keys.ek_public), std::move(ak)};
}

Result<tcb_protocol::EkCertificate::Answer> Service::run(Caller, tcb_protocol::EkCertificate) {
  static_assert(tcb::EkCertificate::kCertificateSizeMax <= kCertificateMax &&
                tcb::EkCertificate::kAuthoritiesMax <= kEkAuthoritiesMax);
  TRY(auto shown, world_.tpm.ek_certificate());
  return tcb_protocol::EkCertificate::Answer{std::move(shown.certificate), std::move(shown.authorities)};
}

Result<ActivateAttestation::Answer> Service::run(Caller, ActivateAttestation request) {
  TRY(auto secret, world_.tpm.activate_attestation(request.id_object, request.encrypted_secret));
  return ActivateAttestation::Answer{std::move(secret)};
}

Result<Quote::Answer> Service::run(Caller, Quote request) {
  TRY(const auto extra_data, over_nonce(request.nonce));
  return quote(std::move(request.registers), extra_data);
}

Result<crypto::Digest> Service::over_nonce(const Bytes& nonce) {
  if (as_text(nonce).starts_with(kLocalQuotePrefix))
    return Error{ErrorKind::kRefused, "tcb.quote.local", "a nonce of a server does not begin as a local quote's",
                 "nonce"};
  return crypto::digest(HashAlgorithm::kSha256, {nonce});
}

Result<LocalQuote::Answer> Service::run(Caller, LocalQuote request) {
  TRY(const auto drawn, mixed_random(world_.tpm, world_.entropy, "local quote", kNonceSize));
  TRY(auto ak, world_.tpm.attestation_key());
  const auto extra_data = crypto::digest(HashAlgorithm::kSha256, {as_bytes(kLocalQuotePrefix), drawn.reveal()});
  TRY(auto made, quote(std::move(request.registers), extra_data));
  return LocalQuote::Answer{to_bytes(drawn.reveal()), std::move(ak), std::move(made)};
}

// The registers are read after the quote, and believed when they are those of the quote: a register that moved in
// between would make the server refuse the evidence of an honest device.
Result<Quote::Answer> Service::quote(RegisterLists lists, const crypto::Digest& extra_data) {
  const RegisterSelection registers = selection_of(std::move(lists));
  if (registers.empty()) return invalid_input("tcb.quote.registers", "expected at least one register", "registers");
  for (int i = 0; i < kQuotesMax; ++i) {
    TRY(auto made, world_.tpm.quote(registers, extra_data));
    TRY(auto values, world_.tpm.read_registers(registers));
    TRY(const auto attest, tpm::QuoteAttest::parse(made.attest));
    if (!is_of(attest.selections, registers))
      return Error{ErrorKind::kUnavailable, "tcb.quote.selection",
                   "the TPM quoted other registers than it was asked for: has it all these banks?"};
    if (!is_digest_of(attest, values)) continue;
    TRY(auto null_primary, world_.tpm.certify_null_primary(extra_data));
    if (!null_primary) null_primary.emplace();
    return Quote::Answer{.attest = std::move(made.attest),
                         .signature = std::move(made.signature),
                         .values = std::move(values),
                         .null_public = std::move(null_primary->public_area),
                         .null_attest = std::move(null_primary->certification.attest),
                         .null_signature = std::move(null_primary->certification.signature)};
  }
  return Error{ErrorKind::kUnavailable, "tcb.quote.moving",
               fmt::format("the registers changed during each of {} quotes", kQuotesMax)};
}

}  // namespace warifu::tcb
