#include "warifu/policy_learn.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "attestation/appraisal/policy_file.h"
#include "crypto/digest.h"
#include "measured_boot/registers_json.h"
#include "warifu/learned_policy.h"
#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

using wire::JsonFields;

Result<std::uint64_t> newest_of(const ApiClient& api, const std::string& path) {
  TRY(const auto page, api.get(path + "?limit=1"));
  TRY(const auto fields, JsonFields::of(page));
  TRY(const auto* items, fields.required_array("items"));
  if (items->empty())
    return Error{ErrorKind::kNotFound, "attestation.unknown",
                 "it has not attested yet: there is nothing to learn from"};
  TRY(const auto item, JsonFields::of(items->front()));
  return item.required_uint("number");
}

Result<Bytes> event_log_of(const ApiClient& api, const std::string& sha256) {
  TRY(const auto path, path_of("event-logs", sha256));
  TRY(const auto stored, api.get(path));
  TRY(const auto fields, JsonFields::of(stored));
  return fields.required_bytes("content");
}

// An IMA list only if it came whole: nothing can be learned from the end of one.
Result<attestation::Evidence> evidence_of(const ApiClient& api, const JsonFields& kept) {
  attestation::Evidence evidence;
  TRY(evidence.message, kept.required_bytes("quote"));
  TRY(evidence.signature, kept.required_bytes("signature"));
  const auto* registers = kept.find("registers");
  if (registers != nullptr) {
    TRY(evidence.claimed, measured_boot::parse_register_values(boost::json::serialize(*registers)));
  }
  TRY(const auto log, kept.required_string("event_log_sha256"));
  if (!log.empty()) {
    TRY(evidence.event_log, event_log_of(api, log));
  }
  TRY(auto userspace, kept.required_bytes("userspace_log"));
  if (!userspace.empty()) evidence.userspace_log = std::move(userspace);
  TRY(const auto ima, kept.required_object("ima"));
  TRY(const auto offset, ima.required_uint("offset"));
  TRY(auto list, ima.required_bytes("content"));
  if (offset == 0 && !list.empty()) evidence.ima_list = std::move(list);
  return evidence;
}

Result<attestation::AkPublic> ak_of(const ApiClient& api, const std::string& path) {
  TRY(const auto attestation, api.get(path));
  TRY(const auto fields, JsonFields::of(attestation));
  TRY(const auto ak, fields.required_object("ak"));
  TRY(const auto area, ak.required_bytes("public"));
  return attestation::AkPublic::from_tpm_public(area);
}

}  // namespace

Status learn_policy(const Context& context, const std::string& registration_id) {
  TRY(const auto registration, path_of("registrations", registration_id));
  const std::string path = registration + "/attestation";
  TRY(const auto api, client_of(context));
  TRY(const auto ak, ak_of(api, path));
  TRY(const auto number, newest_of(api, path + "/evidence"));
  TRY(const auto stored, api.get(fmt::format("{}/evidence/{}", path, number)));
  TRY(const auto kept, JsonFields::of(stored));
  TRY(const auto evidence, evidence_of(api, kept));
  TRY(const auto nonce, kept.required_bytes("nonce"));
  const auto extra_data = crypto::digest(crypto::HashAlgorithm::kSha256, {nonce});
  TRY(const auto policy, learn_from(evidence, ak, to_bytes(extra_data.bytes())));
  // What is printed can be put: it is read once as the server reads it.
  TRY_STATUS(attestation::parse_evidence_policy(policy));
  fmt::print("{}", policy);
  return {};
}

}  // namespace warifu::cli
