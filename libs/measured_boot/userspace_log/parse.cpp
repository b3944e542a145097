#include "measured_boot/userspace_log/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "wire/json.h"

namespace warifu::measured_boot {
namespace {

constexpr std::string_view kContentType = "systemd";

class RecordParser {
 public:
  RecordParser(std::uint32_t number, std::size_t offset) {
    record_.number = number;
    record_.offset = offset;
  }

  Result<UserspaceRecord> parse(std::string_view json);
  std::uint32_t unknown_digests() const { return unknown_digests_; }

 private:
  Error refuse(std::string_view code, std::string message, std::string_view field) const {
    return invalid_input(code, std::move(message),
                         fmt::format("record {} from offset {}: {}", record_.number, record_.offset, field));
  }
  // What libs/wire says of a member or of the text.
  Error refuse(const Error& error) const { return refuse("userspace-log.record", error.message, error.where); }
  template <class T>
  Result<T> member(Result<T> found) const {
    if (!found) return refuse(found.error());
    return found;
  }

  Status read_register(const wire::JsonFields& fields);
  Status read_digests(const wire::JsonFields& fields);
  Status read_digest(const boost::json::value& value, const std::string& field);
  Status read_content(const wire::JsonFields& fields);

  UserspaceRecord record_;
  bool is_of_nv_index_ = false;
  std::uint32_t unknown_digests_ = 0;
};

Status RecordParser::read_register(const wire::JsonFields& fields) {
  TRY(const auto pcr, member(fields.optional_uint("pcr")));
  const bool is_of_nv_index = is_of_nv_index_ || fields.find("nv_index") != nullptr;
  if (!pcr && !is_of_nv_index)
    return refuse("userspace-log.register", "expected a PCR or an NV index, none came", "pcr");
  if (!pcr) return {};
  if (is_of_nv_index) return refuse("userspace-log.register", "expected a PCR or an NV index, both came", "pcr");
  if (*pcr >= kRegisters)
    return refuse("userspace-log.register", fmt::format("expected 0 to {}, {} came", kRegisters - 1, *pcr), "pcr");
  record_.register_index = static_cast<RegisterIndex>(*pcr);
  return {};
}

Status RecordParser::read_digest(const boost::json::value& value, const std::string& field) {
  TRY(const auto fields, member(wire::JsonFields::of(value, field)));
  TRY(const auto name, member(fields.required_string("hashAlg")));
  TRY(const auto hex, member(fields.required_string("digest")));
  const std::string place = fields.path_of("digest");
  const auto bytes = from_hex(hex);
  if (!bytes) return refuse("userspace-log.digests", bytes.error().message, place);
  const auto bank = parse_bank_name(name);
  if (!bank) {
    ++unknown_digests_;
    return {};
  }
  crypto::Digest digest(*bank);
  if (bytes->size() != digest.size()) {
    return refuse("userspace-log.digests", fmt::format("expected {} bytes, {} came", digest.size(), bytes->size()),
                  place);
  }
  if (record_.digest(*bank) != nullptr)
    return refuse("userspace-log.digests", fmt::format("expected one digest of {}, two came", name), place);
  std::ranges::copy(*bytes, digest.writable().begin());
  record_.digests.push_back(digest);
  return {};
}

Status RecordParser::read_digests(const wire::JsonFields& fields) {
  TRY(const auto* array, member(fields.required_array("digests")));
  if (array->empty()) return refuse("userspace-log.digests", "expected a digest, none came", "digests");
  for (std::size_t i = 0; i < array->size(); ++i)
    TRY_STATUS(read_digest((*array)[i], fmt::format("digests[{}]", i)));
  return {};
}

Status RecordParser::read_content(const wire::JsonFields& fields) {
  TRY(const auto type, member(fields.optional_string("content_type")));
  if (type != kContentType) return {};
  TRY(const auto content, member(fields.required_object("content")));
  TRY(record_.text, member(content.optional_string("string")));
  TRY(record_.type, member(content.optional_string("eventType")));
  is_of_nv_index_ = content.find("nvIndexName") != nullptr;
  return {};
}

Result<UserspaceRecord> RecordParser::parse(std::string_view json) {
  if (json.size() > kUserspaceRecordSizeMax) {
    return refuse("userspace-log.too-large",
                  fmt::format("expected at most {} bytes, {} came", kUserspaceRecordSizeMax, json.size()), "JSON");
  }
  const auto value = wire::parse_json(json, {.max_bytes = kUserspaceRecordSizeMax});
  if (!value)
    return refuse("userspace-log.record", value.error().message, fmt::format("JSON, {} in it", value.error().where));
  TRY(const auto fields, member(wire::JsonFields::of(*value, {})));
  TRY_STATUS(read_content(fields));
  TRY_STATUS(read_register(fields));
  TRY_STATUS(read_digests(fields));
  return std::move(record_);
}

Error refuse_log(std::string_view code, std::string message, std::size_t record, std::size_t offset) {
  return invalid_input(code, std::move(message), fmt::format("record {}, offset {}", record, offset));
}

}  // namespace

bool is_userspace_log(ByteView log) {
  return !log.empty() && log.front() == kRecordSeparator;
}

Result<UserspaceLog> parse_userspace_log(ByteView bytes) {
  if (bytes.size() > kUserspaceLogSizeMax) {
    return refuse_log("userspace-log.too-large",
                      fmt::format("expected at most {} bytes, {} came", kUserspaceLogSizeMax, bytes.size()), 0, 0);
  }
  const std::string_view text = as_text(bytes);
  constexpr char kSeparator = kRecordSeparator;
  UserspaceLog log;
  if (!text.empty() && text.front() != kSeparator)
    return refuse_log("userspace-log.framing", "expected a record separator (1e)", 0, 0);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t number = log.records.size();
    if (number == kUserspaceRecordsMax) {
      return refuse_log("userspace-log.too-large", fmt::format("expected at most {} records", kUserspaceRecordsMax),
                        number, begin);
    }
    const std::size_t next = text.find(kSeparator, begin + 1);
    const std::size_t end = next == std::string_view::npos ? text.size() : next;
    if (text[end - 1] != '\n') {
      return refuse_log(next == std::string_view::npos ? "userspace-log.truncated" : "userspace-log.framing",
                        "expected a line feed at the end of the record", number, end);
    }
    RecordParser parser(static_cast<std::uint32_t>(number), begin);
    TRY(auto record, parser.parse(text.substr(begin + 1, end - begin - 1)));
    log.records.push_back(std::move(record));
    log.unknown_digests += parser.unknown_digests();
    begin = end;
  }
  return log;
}

}  // namespace warifu::measured_boot
