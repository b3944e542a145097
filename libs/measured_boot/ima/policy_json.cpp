#include "measured_boot/ima/policy_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <iterator>

#include "base/time_text.h"

namespace warifu::measured_boot::ima {
namespace {

using wire::JsonFields;

// "sha256:HEX" or "verity:sha256:HEX", as the kernel writes them.
struct DigestText {
  FileDigest::Kind kind = FileDigest::Kind::kFile;
  std::string_view algorithm;
  Bytes bytes;

  FileDigest digest() const { return {kind, algorithm, bytes}; }
};

Error bad_digest(std::string_view text, std::string where) {
  return invalid_input("ima.policy.digest", fmt::format("expected a digest like sha256:HEX, \"{}\" came", text),
                       std::move(where));
}

Result<DigestText> parse_digest(std::string_view text, const std::string& where) {
  constexpr std::string_view kVerity = "verity:";
  DigestText digest;
  std::string_view rest = text;
  if (rest.starts_with(kVerity)) {
    digest.kind = FileDigest::Kind::kVerity;
    rest.remove_prefix(kVerity.size());
  }
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return bad_digest(text, where);
  digest.algorithm = rest.substr(0, colon);
  auto bytes = from_hex(rest.substr(colon + 1));
  if (!bytes) return bad_digest(text, where);
  digest.bytes = std::move(*bytes);
  if (!digest.digest().known_algorithm()) return bad_digest(text, where);
  return digest;
}

// The texts of an array that may be absent.
Result<std::vector<std::string_view>> texts_of(const JsonFields& fields, std::string_view name) {
  std::vector<std::string_view> texts;
  TRY(const auto* array, fields.optional_array(name));
  if (array == nullptr) return texts;
  for (const auto& value : *array) {
    if (!value.is_string()) return invalid_input("json.type", "expected texts", fields.path_of(name));
    texts.emplace_back(value.get_string());
  }
  return texts;
}

// `allow(path, digest)` takes each pair; false: it cannot. Then `refusal(text, where)` says why.
template <class Allow, class Refusal>
Status read_pairs(const JsonFields& fields, const boost::json::array& array, Allow allow, Refusal refusal) {
  for (std::size_t i = 0; i < array.size(); ++i) {
    TRY(const auto file, JsonFields::of(array[i], fmt::format("{}[{}]", fields.path_of("files"), i)));
    TRY_STATUS(file.refuse_unknown({"path", "digests"}));
    TRY(const auto path, file.required_string("path"));
    TRY(const auto digests, texts_of(file, "digests"));
    if (digests.empty()) return bad_digest("", file.path_of("digests"));
    for (const std::string_view text : digests) {
      TRY(const auto digest, parse_digest(text, file.path_of("digests")));
      if (!allow(path, digest.digest())) return refusal(text, file.path_of("digests"));
    }
  }
  return {};
}

Status read_files(const JsonFields& fields, AllowList& files) {
  TRY(const auto* array, fields.optional_array("files"));
  if (array == nullptr) return {};
  files.reserve(array->size());
  return read_pairs(
      fields, *array, [&](std::string_view path, const FileDigest& digest) { return files.allow(path, digest); },
      bad_digest);
}

// A window, and what is good until it closes.
Status read_window(const JsonFields& window, AllowList& files) {
  TRY_STATUS(window.refuse_unknown({"until", "files"}));
  TRY(const auto text, window.required_string("until"));
  const auto until = parse_rfc3339(text);
  if (!until)
    return invalid_input("ima.policy.until", "expected a time in UTC like 2026-12-01T00:00:00Z",
                         window.path_of("until"));
  TRY(const auto* array, window.required_array("files"));
  return read_pairs(
      window, *array,
      [&](std::string_view path, const FileDigest& digest) { return files.allow_until(path, digest, *until); },
      [](std::string_view digest, std::string where) {
        return invalid_input("ima.policy.retiring",
                             fmt::format("{} is good for ever or until another time, too: a digest has one end, and "
                                         "there are at most {} of them",
                                         digest, AllowList::kWindowsMax),
                             std::move(where));
      });
}

// After `files`: what is good for ever has no end.
Status read_retiring(const JsonFields& fields, AllowList& files) {
  TRY(const auto* array, fields.optional_array("retiring"));
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    TRY(const auto window, JsonFields::of((*array)[i], fmt::format("{}[{}]", fields.path_of("retiring"), i)));
    TRY_STATUS(read_window(window, files));
  }
  return {};
}

Status read_withdrawn(const JsonFields& fields, AllowList& files) {
  TRY(const auto texts, texts_of(fields, "withdrawn"));
  for (const std::string_view text : texts) {
    TRY(const auto digest, parse_digest(text, fields.path_of("withdrawn")));
    if (!files.withdraw(digest.digest())) return bad_digest(text, fields.path_of("withdrawn"));
  }
  return {};
}

Status read_excludes(const JsonFields& fields, std::string_view name, std::vector<Exclude>& excludes) {
  TRY(const auto texts, texts_of(fields, name));
  for (const std::string_view text : texts) {
    auto exclude = Exclude::parse(text);
    if (!exclude) return invalid_input(exclude.error().code, exclude.error().message, fields.path_of(name));
    excludes.push_back(*std::move(exclude));
  }
  return {};
}

// One of the names; the first if the member is absent.
template <class Value, std::size_t kSize>
Result<Value> read_choice(const JsonFields& fields, std::string_view name,
                          const std::array<std::pair<std::string_view, Value>, kSize>& choices) {
  TRY(const auto text, fields.optional_string(name));
  if (!text) return choices.front().second;
  for (const auto& [choice, value] : choices)
    if (choice == *text) return value;
  std::vector<std::string_view> names;
  std::ranges::transform(choices, std::back_inserter(names), &std::pair<std::string_view, Value>::first);
  return invalid_input("ima.policy.choice",
                       fmt::format("expected one of {}, \"{}\" came", fmt::join(names, ", "), *text),
                       fields.path_of(name));
}

Status read_keys(const JsonFields& fields, Policy& policy) {
  TRY(const auto texts, texts_of(fields, "keys"));
  for (const std::string_view pem : texts) {
    auto key = crypto::PublicKey::from_pem(pem);
    if (!key) return invalid_input("ima.policy.key", key.error().message, fields.path_of("keys"));
    policy.keyring.add(std::move(*key));
  }
  const bool needs_keys = policy.signatures != Policy::Signatures::kIgnore;
  if (needs_keys != !texts.empty())
    return invalid_input("ima.policy.key", "expected keys exactly where signatures are looked at",
                         fields.path_of("keys"));
  return {};
}

Result<ImaRegisters> read_registers(const JsonFields& fields) {
  std::vector<RegisterIndex> more;
  TRY(const auto* array, fields.optional_array("registers"));
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    const auto* index = (*array)[i].if_int64();
    if (index == nullptr || *index < 0 || *index > 23)
      return invalid_input("ima.policy.register", "expected numbers of PCRs, 0 to 23", fields.path_of("registers"));
    if (*index != kImaRegister) more.push_back(static_cast<RegisterIndex>(*index));
  }
  auto registers = ImaRegisters::with(more);
  if (!registers) return invalid_input(registers.error().code, registers.error().message, fields.path_of("registers"));
  return registers;
}

}  // namespace

Result<PolicyFile> parse_policy(const JsonFields& fields) {
  constexpr std::array<std::pair<std::string_view, Policy::Signatures>, 3> kSignatures = {
      {{"ignore", Policy::Signatures::kIgnore},
       {"allow", Policy::Signatures::kAllow},
       {"require", Policy::Signatures::kRequire}}};
  constexpr std::array<std::pair<std::string_view, Policy::Violations>, 2> kViolations = {
      {{"fail", Policy::Violations::kFail}, {"warn", Policy::Violations::kWarn}}};
  TRY_STATUS(fields.refuse_unknown({"files", "retiring", "withdrawn", "excludes", "other_paths", "signatures", "keys",
                                    "violations", "tolerated_violations", "required", "registers"}));
  PolicyFile file;
  Policy& policy = file.policy;
  TRY_STATUS(read_files(fields, policy.files));
  TRY_STATUS(read_retiring(fields, policy.files));
  TRY_STATUS(read_withdrawn(fields, policy.files));
  TRY_STATUS(read_excludes(fields, "excludes", policy.excludes));
  TRY_STATUS(read_excludes(fields, "tolerated_violations", policy.tolerated_violations));
  TRY(const auto other_paths, fields.optional_bool("other_paths"));
  policy.allow_other_paths = other_paths.value_or(true);
  TRY(policy.signatures, read_choice(fields, "signatures", kSignatures));
  TRY(policy.violations, read_choice(fields, "violations", kViolations));
  TRY_STATUS(read_keys(fields, policy));
  TRY(const auto required, texts_of(fields, "required"));
  policy.required.assign(required.begin(), required.end());
  TRY(file.registers, read_registers(fields));
  return file;
}

}  // namespace warifu::measured_boot::ima
