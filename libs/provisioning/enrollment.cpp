#include "provisioning/enrollment.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace warifu::provisioning {
namespace {

constexpr std::array kMechanisms = {
    std::pair{Mechanism::kTpm, std::string_view("tpm")},
    std::pair{Mechanism::kX509, std::string_view("x509")},
    std::pair{Mechanism::kSymmetricKey, std::string_view("symmetric-key")},
};

}  // namespace

std::string_view to_string(Mechanism mechanism) {
  for (const auto& [value, name] : kMechanisms)
    if (value == mechanism) return name;
  return "unknown";
}

Result<Mechanism> parse_mechanism(std::string_view text) {
  for (const auto& [value, name] : kMechanisms)
    if (name == text) return value;
  return invalid_input("enrollment.attestation",
                       fmt::format("the attestation type \"{}\" is not served: tpm, x509 or symmetric-key", text));
}

Mechanism mechanism_of(const Attestation& attestation) {
  // In the order of the variant.
  return std::array{Mechanism::kTpm, Mechanism::kX509, Mechanism::kSymmetricKey}.at(attestation.index());
}

Mechanism mechanism_of(const GroupAttestation& attestation) {
  return std::array{Mechanism::kTpm, Mechanism::kX509, Mechanism::kSymmetricKey, Mechanism::kTpm}.at(
      attestation.index());
}

Status check_attestation_terms(const Terms& terms, Mechanism mechanism) {
  if (mechanism == Mechanism::kTpm) return {};
  const auto refusal = [&](std::string_view code, std::string_view member) {
    return invalid_input(
        code,
        fmt::format("only a TPM can attest, and this proves itself by {}: leave {} out", to_string(mechanism), member),
        std::string(member));
  };
  if (terms.required_attestation) return refusal("enrollment.required_attestation", "required_attestation");
  if (terms.attestation_interval) return refusal("enrollment.attestation_interval", "attestation_interval_seconds");
  return {};
}

}  // namespace warifu::provisioning
