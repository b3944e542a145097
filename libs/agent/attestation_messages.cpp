#include "agent/attestation_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent/server_reply.h"
#include "crypto/digest.h"
#include "tcb_protocol/limits.h"
#include "wire/json.h"

namespace warifu::agent {
namespace {

namespace json = boost::json;
using crypto::HashAlgorithm;
using wire::JsonFields;

constexpr std::size_t kSessionMax = 8192;
constexpr std::size_t kTokenMax = 4096;
constexpr std::size_t kLayersMax = 32;
constexpr std::size_t kWordMax = 64;
constexpr std::uint64_t kNextMin = 10;
constexpr std::uint64_t kNextMax = 86'400;

// It goes into a header, or back into JSON.
Result<std::string> read_opaque(const JsonFields& fields, std::string_view name, std::size_t size_max) {
  TRY(auto text, believed(fields.required_string(name)));
  const auto is_plain = [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (text.empty() || text.size() > size_max || !std::ranges::all_of(text, is_plain))
    return lie(fmt::format("expected 1 to {} printable characters", size_max), fields.path_of(name));
  return text;
}

// A word of a tier or a layer.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kWordMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

constexpr std::size_t kTimeSize = std::string_view("2026-01-31T00:00:00").size();

// RFC 3339 in UTC, with or without a fraction of a second.
bool is_utc_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kTimeSize || text.size() > kWordMax || !text.ends_with('Z')) return false;
  return std::ranges::equal(text.substr(0, kTimeSize), kForm,
                            [](char c, char form) { return form == '0' ? c >= '0' && c <= '9' : c == form; });
}

struct Bank {
  std::string_view name;
  HashAlgorithm hash;
  std::vector<std::uint8_t> tcb_protocol::RegisterLists::*list;
};
// In the order of Quote::Answer::values.
constexpr std::array<Bank, 4> kBanks = {{
    {"sha1", HashAlgorithm::kSha1, &tcb_protocol::RegisterLists::sha1},
    {"sha256", HashAlgorithm::kSha256, &tcb_protocol::RegisterLists::sha256},
    {"sha384", HashAlgorithm::kSha384, &tcb_protocol::RegisterLists::sha384},
    {"sha512", HashAlgorithm::kSha512, &tcb_protocol::RegisterLists::sha512},
}};

Result<std::vector<std::uint8_t>> read_pcrs(const json::value& value, const std::string& where) {
  if (!value.is_array()) return lie("expected an array of PCR numbers", where);
  std::vector<std::uint8_t> pcrs;
  for (const auto& item : value.get_array()) {
    const bool is_pcr =
        item.is_int64() && item.get_int64() >= 0 && item.get_int64() < std::int64_t{tcb_protocol::kPcrCount};
    if (!is_pcr) return lie("expected PCR numbers from 0 to 23", where);
    pcrs.push_back(static_cast<std::uint8_t>(item.get_int64()));
  }
  std::ranges::sort(pcrs);
  pcrs.erase(std::unique(pcrs.begin(), pcrs.end()), pcrs.end());
  return pcrs;
}

Result<tcb_protocol::RegisterLists> read_registers(const json::value& value) {
  if (!value.is_object()) return lie("expected an object", "registers");
  tcb_protocol::RegisterLists lists;
  for (const auto& member : value.get_object()) {
    const std::string where = fmt::format("registers.{}", std::string_view(member.key()).substr(0, kWordMax));
    const auto* bank = std::ranges::find(kBanks, std::string_view(member.key()), &Bank::name);
    if (bank == kBanks.end()) return lie("expected a bank: sha1, sha256, sha384, sha512", where);
    TRY(lists.*bank->list, read_pcrs(member.value(), where));
  }
  return lists;
}

Result<json::object> register_values(const tcb_protocol::RegisterLists& lists, ByteView values) {
  json::object banks;
  for (const Bank& bank : kBanks) {
    const std::size_t size = crypto::digest_size(bank.hash);
    json::object of_bank;
    for (const std::uint8_t pcr : lists.*bank.list) {
      if (values.size() < size)
        return Error{ErrorKind::kInternal, "tcb.answer", "the TCB gave fewer register values than were asked for"};
      of_bank[std::to_string(pcr)] = to_hex(values.first(size));
      values = values.subspan(size);
    }
    if (!of_bank.empty()) banks[bank.name] = std::move(of_bank);
  }
  if (values.empty()) return banks;
  return Error{ErrorKind::kInternal, "tcb.answer", "the TCB gave more register values than were asked for"};
}

json::object null_primary(const tcb_protocol::Quote::Answer& quote, const std::optional<RecordedNullName>& recorded) {
  json::object object{{"public", to_base64(quote.null_public)},
                      {"attest", to_base64(quote.null_attest)},
                      {"signature", to_base64(quote.null_signature)}};
  if (recorded) object["recorded"] = json::object{{"name", recorded->name}, {"source", recorded->source}};
  return object;
}

}  // namespace

std::string sha256_hex(ByteView content) {
  return to_hex(crypto::digest(HashAlgorithm::kSha256, {content}).bytes());
}

std::string attestation_key_body(const tcb_protocol::AttestationKey::Answer& key) {
  return json::serialize(
      json::object{{"ek_public", to_base64(key.ek_public)}, {"ak_public", to_base64(key.ak_public)}});
}

Result<AttestationChallenge> parse_attestation_challenge(std::string_view body) {
  TRY(const auto value, read_object(body));
  const JsonFields fields(value.get_object());
  AttestationChallenge challenge;
  TRY(challenge.id_object, reply_bytes(fields, "id_object", tcb_protocol::kIdObjectMax));
  TRY(challenge.encrypted_secret, reply_bytes(fields, "encrypted_secret", tcb_protocol::kEncryptedSecretMax));
  TRY(challenge.session, read_opaque(fields, "session", kSessionMax));
  return challenge;
}

std::string activation_body(const std::string& session, const SecretBytes& secret) {
  return json::serialize(json::object{{"session", session}, {"secret", to_base64(secret.reveal())}});
}

Result<AttestationToken> parse_attestation_token(std::string_view body) {
  TRY(const auto value, read_object(body));
  const JsonFields fields(value.get_object());
  AttestationToken token;
  TRY(token.token, read_opaque(fields, "token", kTokenMax));
  TRY(token.expires_at, believed(fields.required_string("expires_at")));
  if (!is_utc_time(token.expires_at)) return lie("expected a time like 2026-01-31T00:00:00Z", "expires_at");
  token.expires_at.resize(kTimeSize);
  return token;
}

std::string nonce_body(const std::string& boot_id) {
  json::object body;
  if (!boot_id.empty()) body["boot_id"] = boot_id;
  return json::serialize(body);
}

Result<AttestationNonce> parse_attestation_nonce(std::string_view body) {
  TRY(const auto value, read_object(body));
  const JsonFields fields(value.get_object());
  AttestationNonce nonce;
  TRY(nonce.nonce, reply_bytes(fields, "nonce", tcb_protocol::kServerNonceMax));
  const auto* registers = fields.find("registers");
  if (registers == nullptr) return lie("it is missing", "registers");
  TRY(nonce.registers, read_registers(*registers));
  TRY(const auto event_log, believed(fields.optional_object("event_log")));
  if (event_log) {
    TRY(const auto known, believed(event_log->optional_string("known_sha256")));
    nonce.known_event_log = known.value_or("").substr(0, kWordMax);
  }
  TRY(const auto ima, believed(fields.optional_object("ima")));
  if (ima) {
    TRY(const auto offset, believed(ima->optional_uint("offset")));
    nonce.ima_offset = offset.value_or(0);
  }
  return nonce;
}

// Written by hand around the logs, which are large: a tree of values would hold each twice.
Result<std::string> evidence_body(const Evidence& evidence) {
  const auto& quote = evidence.quote;
  TRY(auto registers, register_values(evidence.nonce.registers, quote.values));
  json::object head{{"nonce", to_base64(evidence.nonce.nonce)},
                    {"quote", to_base64(quote.attest)},
                    {"signature", to_base64(quote.signature)},
                    {"registers", std::move(registers)}};
  if (!evidence.boot_id.empty()) head["boot_id"] = evidence.boot_id;
  if (evidence.userspace_log) head["userspace_log"] = to_base64(*evidence.userspace_log);
  if (!quote.null_public.empty()) head["null_primary"] = null_primary(quote, evidence.null_name);
  std::string body = json::serialize(head);
  body.pop_back();
  if (evidence.event_log) {
    body.append(R"(,"event_log":{"sha256":")").append(sha256_hex(*evidence.event_log)).append("\"");
    if (evidence.with_event_log) body.append(R"(,"content":")").append(to_base64(*evidence.event_log)).append("\"");
    body.append("}");
  }
  if (evidence.ima_list)
    body.append(fmt::format(R"(,"ima":{{"offset":{},"content":")", evidence.nonce.ima_offset))
        .append(to_base64(*evidence.ima_list))
        .append("\"}");
  return body.append("}");
}

Result<AttestationResult> parse_attestation_result(std::string_view body) {
  TRY(const auto value, read_object(body));
  const JsonFields fields(value.get_object());
  AttestationResult result;
  TRY(result.overall, believed(fields.required_string("overall")));
  if (!is_word(result.overall)) return lie("expected a tier", "overall");
  const auto* layers = fields.find("layers");
  if (layers == nullptr || !layers->is_object() || layers->get_object().size() > kLayersMax)
    return lie(fmt::format("expected an object of at most {} layers", kLayersMax), "layers");
  for (const auto& layer : layers->get_object()) {
    if (!is_word(layer.key()) || !layer.value().is_string() || !is_word(layer.value().get_string()))
      return lie("expected a tier for each layer", "layers");
    result.layers.emplace_back(layer.key(), layer.value().get_string());
  }
  TRY(const auto tracking_id, believed(fields.optional_string("tracking_id")));
  if (tracking_id && is_word(*tracking_id)) result.tracking_id = *tracking_id;
  TRY(const auto next, believed(fields.required_uint("next_after_seconds")));
  result.next_after = std::chrono::seconds(std::clamp(next, kNextMin, kNextMax));
  return result;
}

}  // namespace warifu::agent
