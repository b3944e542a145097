#include "attestation/appraisal/null_primary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tpm_types/attest.h"
#include "tpm_types/signature.h"

namespace warifu::attestation {
namespace {

constexpr std::array<std::uint8_t, 4> kNullHierarchy = {0x40, 0x00, 0x00, 0x07};  // TPM_RH_NULL, Part 2, "TPM_RH"

Error no_null_primary(std::string message) {
  return {ErrorKind::kRefused, "attestation.null-primary", std::move(message), "null_primary"};
}

// What the kernel makes at boot (Linux, tpm2-sessions.c, tpm2_create_primary): a storage key on P-256 that the TPM
// made.
Status check_null_template(const tpm::PublicArea& area) {
  using namespace tpm;
  const auto* ecc = std::get_if<EccParameters>(&area.parameters());
  const bool is_storage =
      area.attributes().has_all(kFixedTpm | kFixedParent | kSensitiveDataOrigin | kRestricted | kDecrypt) &&
      !area.attributes().has_any(kSign);
  if (ecc != nullptr && ecc->curve == crypto::EcCurve::kP256 && is_storage) return {};
  return no_null_primary("it is no ECC P-256 storage primary");
}

std::string_view recorder_in_words(NameRecorder recorder) {
  return recorder == NameRecorder::kKernel ? "the kernel" : "the initramfs";
}

}  // namespace

std::string_view to_string(NameRecorder recorder) {
  return recorder == NameRecorder::kKernel ? "kernel" : "initramfs";
}

Result<RecordedName> parse_recorded_name(std::string_view hex, std::string_view source) {
  constexpr std::array kRecorders = {NameRecorder::kKernel, NameRecorder::kInitramfs};
  const auto* recorder = std::ranges::find(kRecorders, source, [](NameRecorder one) { return to_string(one); });
  if (recorder == kRecorders.end())
    return invalid_input("evidence.null-name", R"(expected "kernel" or "initramfs")", "source");
  const auto bytes = from_hex(hex);
  const auto name = bytes ? tpm::Name::parse(*bytes) : Result<tpm::Name>(bytes.error());
  if (!name || name->algorithm() != crypto::HashAlgorithm::kSha256)
    return invalid_input("evidence.null-name", "expected a Name with SHA-256 in hexadecimal: 000b and 64 digits",
                         "name");
  return RecordedName{*name, *recorder};
}

Result<tpm::Name> check_null_primary(const NullPrimary& primary, const VerifiedQuote& quote) {
  TRY(const auto area, tpm::PublicArea::from_tpm2b(primary.public_area));
  TRY(const auto certified, tpm::CertifyAttest::parse(primary.attest));
  TRY(const auto signature, tpm::parse_signature(primary.signature));
  TRY_STATUS(quote.ak().verify(primary.attest, signature));
  if (certified.extra_data != quote.attest().extra_data) return no_null_primary("it was certified over another nonce");
  const auto& clock = quote.attest().clock;
  if (certified.clock.reset_count != clock.reset_count || certified.clock.restart_count != clock.restart_count)
    return no_null_primary("it was certified in another boot than the quote's");
  TRY_STATUS(check_null_template(area));
  const auto name = area.name();
  if (!std::ranges::equal(certified.name, name.bytes())) return no_null_primary("another key was certified than came");
  if (certified.qualified_name != qualified_name(kNullHierarchy, name))
    return no_null_primary("it is no primary of the NULL hierarchy");
  return name;
}

std::optional<tpm::Name> appraise_null_primary(const std::optional<NullPrimary>& primary, const VerifiedQuote& quote,
                                               AttestationResult& result) {
  if (!primary) {
    result.add({Layer::kFreshness, Tier::kNone, "attestation.null-primary-absent",
                "the primary of the NULL hierarchy was not certified: a reset of the TPM shows in its counters alone"});
    return std::nullopt;
  }
  auto name = check_null_primary(*primary, quote);
  if (name) return *name;
  result.add({Layer::kFreshness, Tier::kContraindicated, "attestation.null-primary", to_string(name.error())});
  return std::nullopt;
}

bool appraise_recorded_name(const std::optional<RecordedName>& recorded, const tpm::Name& certified,
                            AttestationResult& result) {
  if (!recorded) {
    result.add({Layer::kFreshness, Tier::kNone, "attestation.null-name-absent",
                "nobody recorded the NULL primary's Name when the system started: a reset of the TPM before the first "
                "attestation of a boot does not show"});
    return true;
  }
  if (recorded->name == certified) {
    result.add({Layer::kFreshness, Tier::kAffirming, "attestation.null-name",
                fmt::format("the NULL primary is the one that {} recorded: the TPM was not reset since",
                            recorder_in_words(recorded->source))});
    return true;
  }
  result.add(
      {Layer::kFreshness, Tier::kContraindicated, "attestation.tpm-reset",
       fmt::format("the TPM was reset under the running system: the NULL primary is not the one that {} recorded "
                   "when the system started",
                   recorder_in_words(recorded->source)),
       "null_primary", recorded->name.text(), certified.text()});
  return false;
}

}  // namespace warifu::attestation
