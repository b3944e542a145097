#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "warifu/commands.h"

// What devices showed of what they run, on the server.
namespace warifu::cli {

Status list_attestations(const Context& context);
// The last result, layer by layer, and what the next quote is compared with.
Status show_attestation(const Context& context, const std::string& registration_id);
// The same result for an operator: what weighs, in the order of its weight, and what to do. kRefused
// "attestation.not-affirming" unless the overall result affirms.
Status explain_attestation(const Context& context, const std::string& registration_id);

struct AttestationDiffOptions {
  std::string registration_id;
  std::optional<std::uint64_t> from;  // numbers of kept evidence; without them the newest and the one before it
  std::optional<std::uint64_t> to;
};
// What is another between two attestations that were kept: findings, registers, events of the boot logs.
Status diff_attestations(const Context& context, const AttestationDiffOptions& options);
struct ForgetOptions {
  std::string registration_id;
  std::string reason;
};
// A new ledger begins: what the next quote would be compared with is forgotten.
Status forget_attestation(const Context& context, const ForgetOptions& options);
Status list_kept_evidence(const Context& context, const std::string& registration_id);

}  // namespace warifu::cli
