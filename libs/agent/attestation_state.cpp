#include "agent/attestation_state.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.h"

namespace warifu::agent {
namespace {

constexpr std::uint64_t kStateVersion = 1;
constexpr std::size_t kStateMax = 8192;
constexpr std::size_t kTimeMax = 40;

}  // namespace

std::string to_json(const LastAttestation& last) {
  boost::json::object layers;
  for (const auto& [layer, tier] : last.result.layers)
    layers[layer] = tier;
  return boost::json::serialize(boost::json::object{{"version", kStateVersion},
                                                    {"overall", last.result.overall},
                                                    {"layers", std::move(layers)},
                                                    {"tracking_id", last.result.tracking_id},
                                                    {"next_after_seconds", last.result.next_after.count()},
                                                    {"since", last.since}}) +
         "\n";
}

// What it holds beside version and time is an answer of the server as it came.
Result<LastAttestation> parse_last_attestation(std::string_view json) {
  TRY(const auto value, wire::parse_json(json, {.max_bytes = kStateMax, .max_depth = 4}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"version", "overall", "layers", "tracking_id", "next_after_seconds", "since"}));
  TRY(const auto version, fields.required_uint("version"));
  if (version != kStateVersion)
    return invalid_input("state.form", fmt::format("expected version {}, got {}", kStateVersion, version), "version");
  LastAttestation last;
  TRY(last.since, fields.required_string("since"));
  if (last.since.size() > kTimeMax) return invalid_input("state.form", "expected a time", "since");
  auto result = parse_attestation_result(json);
  if (!result) return invalid_input("state.form", result.error().message, result.error().where);
  last.result = *std::move(result);
  return last;
}

Status save(StateFiles& files, const LastAttestation& last) {
  return files.replace(kAttestationFile, as_bytes(to_json(last)));
}

Result<std::optional<LastAttestation>> load_last_attestation(StateFiles& files) {
  TRY(const auto content, files.read(kAttestationFile));
  if (!content) return std::optional<LastAttestation>();
  auto last = parse_last_attestation(as_text(*content));
  if (!last) return std::optional<LastAttestation>();
  return std::optional(*std::move(last));
}

void keep(Outside& outside, const AttestationResult& result) {
  const auto known = load_last_attestation(outside.files);
  if (known && *known && (*known)->result.is_same_judgement(result)) return;
  if (const auto kept = save(outside.files, {result, to_rfc3339(outside.clock.now())}); !kept)
    outside.progress.note(fmt::format("the result could not be kept: {}", to_string(kept.error())));
}

std::string summary(const AttestationResult& result) {
  std::string layers;
  for (const auto& [layer, tier] : result.layers)
    layers += fmt::format("{}{} {}", layers.empty() ? "" : ", ", layer, tier);
  return layers.empty() ? result.overall : fmt::format("{} ({})", result.overall, layers);
}

}  // namespace warifu::agent
