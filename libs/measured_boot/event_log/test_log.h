#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "measured_boot/event_log/event_type.h"
#include "measured_boot/registers.h"
#include "tpm_types/algorithm.h"

// Logs for tests, written as firmware writes them.
namespace warifu::measured_boot {

inline Bytes little_endian(std::uint64_t value, std::size_t size) {
  Bytes bytes;
  for (std::size_t i = 0; i < size; ++i, value >>= 8)
    bytes.push_back(static_cast<std::uint8_t>(value));
  return bytes;
}

inline Bytes concatenated(std::initializer_list<ByteView> parts) {
  Bytes bytes;
  bytes.reserve(4096);
  for (const ByteView part : parts)
    bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

// Without a NUL at the end.
inline Bytes utf16(std::string_view ascii) {
  Bytes bytes;
  for (const char c : ascii) {
    bytes.push_back(static_cast<std::uint8_t>(c));
    bytes.push_back(0);
  }
  return bytes;
}

// What a Spec ID event of version 03 holds; the caller may lie about sizes.
inline Bytes spec_id_data(const std::vector<std::pair<std::uint16_t, std::uint16_t>>& algorithms,
                          ByteView vendor_info = {}) {
  Bytes bytes = concatenated({as_bytes(std::string_view("Spec ID Event03\0", 16)), little_endian(0, 4),
                              Bytes{0, 2, 0, 2}, little_endian(algorithms.size(), 4)});
  for (const auto& [id, size] : algorithms)
    bytes = concatenated({bytes, little_endian(id, 2), little_endian(size, 2)});
  return concatenated({bytes, little_endian(vendor_info.size(), 1), vendor_info});
}

// A record in the layout of the first event.
inline Bytes legacy_record(RegisterIndex index, EventType type, ByteView digest, ByteView data) {
  return concatenated({little_endian(index, 4), little_endian(static_cast<std::uint32_t>(type), 4), digest,
                       little_endian(data.size(), 4), data});
}

class LogWriter {
 public:
  using Banks = std::vector<crypto::HashAlgorithm>;

  // Begins with a Spec ID event for these banks, on `spec_id_register`; with none, a legacy log without one.
  explicit LogWriter(Banks banks, RegisterIndex spec_id_register = 0) : banks_(std::move(banks)) {
    if (banks_.empty()) return;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> algorithms;
    for (const auto bank : banks_)
      algorithms.emplace_back(static_cast<std::uint16_t>(tpm::algorithm_of(bank)), crypto::digest_size(bank));
    bytes_ = legacy_record(spec_id_register, EventType::kNoAction, Bytes(20), spec_id_data(algorithms));
  }

  // Digests of the data.
  LogWriter& event(RegisterIndex index, EventType type, ByteView data) { return record(index, type, &data, data); }
  LogWriter& event(RegisterIndex index, EventType type, std::string_view data) {
    return event(index, type, as_bytes(data));
  }
  // Digests of something else than the data.
  LogWriter& measured(RegisterIndex index, EventType type, ByteView what, ByteView data) {
    return record(index, type, &what, data);
  }
  LogWriter& no_action(RegisterIndex index, ByteView data) {
    return record(index, EventType::kNoAction, nullptr, data);
  }
  LogWriter& startup_locality(std::uint8_t locality) {
    return no_action(0, concatenated({as_bytes(std::string_view("StartupLocality\0", 16)), Bytes{locality}}));
  }
  // 00000000 in PCR 0 to 7.
  LogWriter& separators() {
    for (RegisterIndex index = 0; index < 8; ++index)
      event(index, EventType::kSeparator, Bytes(4));
    return *this;
  }
  LogWriter& raw(ByteView bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }

  const Bytes& bytes() const { return bytes_; }

 private:
  LogWriter& record(RegisterIndex index, EventType type, const ByteView* what, ByteView data) {
    const auto digest_of = [what](crypto::HashAlgorithm bank) {
      return what == nullptr ? crypto::Digest(bank) : crypto::digest(bank, {*what});
    };
    if (banks_.empty()) return raw(legacy_record(index, type, digest_of(crypto::HashAlgorithm::kSha1).bytes(), data));
    raw(little_endian(index, 4));
    raw(little_endian(static_cast<std::uint32_t>(type), 4));
    raw(little_endian(banks_.size(), 4));
    for (const auto bank : banks_) {
      raw(little_endian(static_cast<std::uint16_t>(tpm::algorithm_of(bank)), 2));
      raw(digest_of(bank).bytes());
    }
    raw(little_endian(data.size(), 4));
    return raw(data);
  }

  Banks banks_;
  Bytes bytes_;
};

}  // namespace warifu::measured_boot
