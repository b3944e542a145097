#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/time.h"

namespace warifu {

// A checked identifier: only parse() makes one, and two kinds cannot be confused.
template <class Kind>
class TextId {
 public:
  static Result<TextId> parse(std::string_view text) {
    TRY(std::string checked, Kind::check(text));
    return TextId(std::move(checked));
  }
  const std::string& text() const { return text_; }
  friend auto operator<=>(const TextId&, const TextId&) = default;

 private:
  explicit TextId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The tenant (Azure DPS: ID scope): letters and digits, at most 64. Compared without case, kept in lower case.
struct ScopeIdKind {
  static Result<std::string> check(std::string_view text);
};
using ScopeId = TextId<ScopeIdKind>;

// What a device calls itself (Azure DPS): 1..128 of letters, digits and ":._-", alphanumeric at both ends. Compared
// without case, kept in lower case.
struct RegistrationIdKind {
  static Result<std::string> check(std::string_view text);
};
using RegistrationId = TextId<RegistrationIdKind>;

// A device as the hub knows it. The form is that of a registration ID.
struct DeviceIdKind {
  static Result<std::string> check(std::string_view text);
};
using DeviceId = TextId<DeviceIdKind>;

// A group of enrollments (Azure DPS: enrollment group). The form is that of a registration ID.
struct GroupIdKind {
  static Result<std::string> check(std::string_view text);
};
using GroupId = TextId<GroupIdKind>;

// A short name that an operator gives to a key or a token: 1..64 of letters, digits and "._-".
struct LabelKind {
  static Result<std::string> check(std::string_view text);
};
using Label = TextId<LabelKind>;

// RFC 9562. Made by us they are version 7: ordered by time, so that a B-tree grows at its end.
class Uuid {
 public:
  static constexpr std::size_t kSize = 16;
  static Uuid v7(Timestamp now, Entropy& entropy);
  static Result<Uuid> parse(std::string_view text);  // 8-4-4-4-12 hexadecimal digits
  static Result<Uuid> from_bytes(ByteView bytes);    // exactly 16

  ByteView bytes() const { return bytes_; }
  std::string text() const;
  friend auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  explicit Uuid(std::array<std::uint8_t, kSize> bytes) : bytes_(bytes) {}
  std::array<std::uint8_t, kSize> bytes_;
};

}  // namespace warifu
