#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warifu::provisioning {

// What happens to a device that comes again and was assigned before (Azure DPS: reprovisionPolicy).
enum class Reprovision {
  kMigrate,  // assigned anew, its twin goes along: the default
  kReset,    // assigned anew, and begins with the initial twin
  kNever,    // stays where it was assigned first
};

// How a hub is chosen (Azure DPS: allocationPolicy). Geo-latency and custom allocation are kept for their owner; see
// allocate().
enum class Allocation { kHashed, kStatic, kGeoLatency, kCustom };

// The least that a verifier must have found of a TPM's device before it is assigned (EAR: trustworthiness tiers).
enum class RequiredAttestation {
  kWarning,    // warning or affirming
  kAffirming,  // affirming
};

// What an operator states about every device of an enrollment or of a group, whatever it proves itself by.
struct Terms {
  bool enabled = true;
  std::optional<Reprovision> reprovision;  // absent: kMigrate, and for SDKs of 2018 and before kNever, as Azure does
  std::optional<Allocation> allocation;    // absent: kStatic with one hub, kHashed otherwise
  std::vector<std::string> hubs;           // host names; without any the server's own
  bool approve_srk_changes = false;        // a device whose SRK is another waits for an operator
  // TPMs only, like the next: what attests to less waits until it attests to enough. Absent: nobody is asked.
  std::optional<RequiredAttestation> required_attestation;
  std::optional<std::chrono::seconds> attestation_interval;  // after which it is to attest again; absent: the server's
  bool allow_software_keys = false;
  bool iot_edge = false;
  // JSON objects, kept as they came (serialised anew, so that they are well-formed): the hub's business, not ours.
  std::optional<std::string> initial_twin;
  std::optional<std::string> custom_allocation;   // {"webhookUrl","apiVersion"}
  std::optional<std::string> device_information;  // free text about the device, for people

  friend bool operator==(const Terms&, const Terms&) = default;
};

// The longest that is kept of each JSON object. Azure's messages have 96 KB; a twin begins with a few settings.
constexpr std::size_t kTermsJsonSizeMax = 8 * 1024;
constexpr std::size_t kHubsMax = 50;
constexpr std::chrono::seconds kAttestationIntervalMin{10};
constexpr std::chrono::seconds kAttestationIntervalMax{86'400};

std::string_view to_string(Reprovision reprovision);
std::string_view to_string(Allocation allocation);
std::string_view to_string(RequiredAttestation required);
// "migrate", "reset", "never"; "hashed", "static", "geo-latency", "custom".
Result<Reprovision> parse_reprovision(std::string_view text);
Result<Allocation> parse_allocation(std::string_view text);
// "warning", "affirming".
Result<RequiredAttestation> parse_required_attestation(std::string_view text);

// kInvalidInput "enrollment.hub": not the name of a host; "enrollment.hubs": too many, or static allocation to
// several; "enrollment.custom_allocation": custom allocation and its webhook come together;
// "enrollment.too_large": a JSON object above kTermsJsonSizeMax; "enrollment.attestation_interval": out of its range.
Status check_terms(const Terms& terms);

}  // namespace warifu::provisioning
