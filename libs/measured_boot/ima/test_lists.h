#pragma once

// Lists as a kernel writes them, for tests: the writer knows the formats from the kernel's documentation and shares
// nothing with the readers.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace warifu::measured_boot::ima::test {

using crypto::HashAlgorithm;

inline void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
inline void append_u32(Bytes& out, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}
inline Bytes joined(std::initializer_list<std::string_view> parts) {
  Bytes out;
  for (const auto part : parts)
    append(out, as_bytes(part));
  return out;
}
inline Bytes name_field(std::string_view name) {
  return joined({name, std::string_view("\0", 1)});
}
// d-ng of a file whose content is `content`.
inline Bytes digest_field(std::string_view content, HashAlgorithm algorithm = HashAlgorithm::kSha256,
                          std::string_view prefix = "sha256:") {
  Bytes out = joined({prefix, std::string_view("\0", 1)});
  append(out, crypto::digest(algorithm, {as_bytes(content)}).bytes());
  return out;
}
inline Bytes data_of(const std::vector<Bytes>& fields) {
  Bytes data;
  for (const Bytes& field : fields) {
    append_u32(data, field.size());
    append(data, field);
  }
  return data;
}

class TestList {
 public:
  explicit TestList(HashAlgorithm template_digest = HashAlgorithm::kSha1) : algorithm_(template_digest) {}

  TestList& add(std::string_view template_name, const std::vector<Bytes>& fields, std::uint32_t pcr = 10) {
    const Bytes data = data_of(fields);
    return add_data(template_name, data, crypto::digest(algorithm_, {data}), pcr);
  }
  TestList& add_violation(std::string_view template_name, const std::vector<Bytes>& fields, std::uint32_t pcr = 10) {
    return add_data(template_name, data_of(fields), crypto::Digest(algorithm_), pcr);
  }
  TestList& add_file(std::string_view path, std::string_view content, std::uint32_t pcr = 10) {
    return add("ima-ng", {digest_field(content), name_field(path)}, pcr);
  }
  TestList& add_original(ByteView digest, std::string_view name, std::uint32_t pcr = 10) {
    Bytes hashed = to_bytes(digest);
    append(hashed, as_bytes(name));
    hashed.resize(digest.size() + 256);
    start(pcr, crypto::digest(algorithm_, {hashed}), "ima");
    append(bytes_, digest);
    append_u32(bytes_, name.size());
    append(bytes_, as_bytes(name));
    return *this;
  }
  TestList& add_data(std::string_view template_name, ByteView data, const crypto::Digest& digest, std::uint32_t pcr) {
    start(pcr, digest, template_name);
    append_u32(bytes_, data.size());
    append(bytes_, data);
    return *this;
  }

  const Bytes& bytes() const { return bytes_; }
  // Where each entry starts, and where what follows its template name does: nothing hashes the name.
  const std::vector<std::size_t>& starts() const { return starts_; }
  bool is_in_a_name(std::size_t offset) const {
    return std::ranges::any_of(names_,
                               [offset](const auto& name) { return offset >= name.first && offset < name.second; });
  }

 private:
  void start(std::uint32_t pcr, const crypto::Digest& digest, std::string_view template_name) {
    starts_.push_back(bytes_.size());
    append_u32(bytes_, pcr);
    append(bytes_, digest.bytes());
    append_u32(bytes_, template_name.size());
    names_.emplace_back(bytes_.size(), bytes_.size() + template_name.size());
    append(bytes_, as_bytes(template_name));
  }

  HashAlgorithm algorithm_;
  Bytes bytes_;
  std::vector<std::size_t> starts_;
  std::vector<std::pair<std::size_t, std::size_t>> names_;
};

}  // namespace warifu::measured_boot::ima::test
