#include "verifier/submission.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "crypto/digest.h"
#include "measured_boot/registers_json.h"
#include "verifier/limits.h"
#include "wire/json.h"

namespace warifu::verifier {
namespace {

using wire::JsonFields;

constexpr std::size_t kSha256Size = 32;

Status read_registers(const JsonFields& fields, Submission& submission) {
  const auto* value = fields.find("registers");
  if (value == nullptr) return invalid_input("json.missing", "expected the quoted registers", "registers");
  TRY(submission.registers, measured_boot::parse_register_values(boost::json::serialize(*value)));
  return {};
}

Status read_event_log(const JsonFields& fields, Submission& submission) {
  TRY(const auto part, fields.optional_object("event_log"));
  if (!part) return {};
  TRY_STATUS(part->refuse_unknown({"sha256", "content"}));
  TRY(const auto hex, part->required_string("sha256"));
  auto sha256 = from_hex(hex);
  if (!sha256 || sha256->size() != kSha256Size)
    return invalid_input("evidence.hash", "expected a SHA-256 in hexadecimal", part->path_of("sha256"));
  submission.event_log_sha256 = *std::move(sha256);
  TRY(submission.event_log, part->optional_bytes("content"));
  if (!submission.event_log) return {};
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {*submission.event_log});
  if (!std::ranges::equal(digest.bytes(), submission.event_log_sha256))
    return invalid_input("evidence.hash", "the SHA-256 is not that of the log", part->path_of("sha256"));
  return {};
}

Status read_ima(const JsonFields& fields, Submission& submission) {
  TRY(const auto part, fields.optional_object("ima"));
  if (!part) return {};
  TRY_STATUS(part->refuse_unknown({"offset", "content"}));
  ImaPart ima;
  TRY(ima.offset, part->required_uint("offset"));
  TRY(ima.content, part->required_bytes("content"));
  submission.ima = std::move(ima);
  return {};
}

Status read_recorded_name(const JsonFields& fields, NullPrimary& primary) {
  TRY(const auto part, fields.optional_object("recorded"));
  if (!part) return {};
  TRY_STATUS(part->refuse_unknown({"name", "source"}));
  TRY(const auto name, part->required_string("name"));
  TRY(const auto source, part->required_string("source"));
  auto recorded = attestation::parse_recorded_name(name, source);
  if (!recorded)
    return invalid_input("evidence.null-name", recorded.error().message, part->path_of(recorded.error().where));
  primary.recorded = *recorded;
  return {};
}

Status read_null_primary(const JsonFields& fields, Submission& submission) {
  TRY(const auto part, fields.optional_object("null_primary"));
  if (!part) return {};
  TRY_STATUS(part->refuse_unknown({"public", "attest", "signature", "recorded"}));
  NullPrimary primary;
  TRY(primary.public_area, part->required_bytes("public"));
  TRY(primary.attest, part->required_bytes("attest"));
  TRY(primary.signature, part->required_bytes("signature"));
  TRY_STATUS(read_recorded_name(*part, primary));
  submission.null_primary = std::move(primary);
  return {};
}

}  // namespace

Status check_boot_id(std::string_view text) {
  const auto is_printable = [](char c) { return c > 0x20 && c < 0x7f; };
  if (text.size() <= kBootIdSizeMax && std::ranges::all_of(text, is_printable)) return {};
  return invalid_input("evidence.boot-id", fmt::format("expected at most {} printable characters", kBootIdSizeMax),
                       "boot_id");
}

Result<Submission> parse_submission(std::string_view json) {
  TRY(const auto value, wire::parse_json(json, {.max_bytes = kEvidenceSizeMax}));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown(
      {"nonce", "quote", "signature", "registers", "boot_id", "event_log", "userspace_log", "ima", "null_primary"}));
  Submission submission;
  TRY(submission.nonce, fields.required_bytes("nonce"));
  TRY(submission.quote, fields.required_bytes("quote"));
  TRY(submission.signature, fields.required_bytes("signature"));
  TRY_STATUS(read_registers(fields, submission));
  TRY(const auto boot_id, fields.optional_string("boot_id"));
  submission.boot_id = boot_id.value_or("");
  TRY_STATUS(check_boot_id(submission.boot_id));
  TRY_STATUS(read_event_log(fields, submission));
  TRY(submission.userspace_log, fields.optional_bytes("userspace_log"));
  TRY_STATUS(read_ima(fields, submission));
  TRY_STATUS(read_null_primary(fields, submission));
  return submission;
}

}  // namespace warifu::verifier
