#include "crypto/crl_encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "crypto/certificate_extensions.h"
#include "crypto/der_value.h"
#include "crypto/signature_algorithm.h"

namespace warifu::crypto {
namespace {

constexpr std::array<std::uint8_t, 5> kAuthorityIdentifier = {0x06, 0x03, 0x55, 0x1d, 0x23};  // 2.5.29.35
constexpr std::array<std::uint8_t, 5> kCrlNumber = {0x06, 0x03, 0x55, 0x1d, 0x14};            // 2.5.29.20
// crlEntryExtensions with a reasonCode (2.5.29.21), up to its value, which is the last byte.
constexpr std::array<std::uint8_t, 13> kReasonExtension = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
                                                           0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
constexpr std::size_t kReasonSize = kReasonExtension.size() + 1;

Error bad_shape(std::string message) {
  return invalid_input("crypto.crl.shape", std::move(message));
}

std::chrono::sys_seconds seconds_of(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

bool is_in_range(Timestamp time) {
  return time >= Timestamp() && time <= kForLife;
}

// RFC 5280 §5.1.2.4: UTCTime to the end of 2049.
bool is_utc_time(Timestamp time) {
  return time < Timestamp(std::chrono::sys_days{std::chrono::year{2050} / 1 / 1});
}

// A time or an entry, in place: one of a million is not worth an allocation, nor the C library's lock around
// gmtime_r().
class SmallDer {
 public:
  void add(int byte) { bytes_[size_++] = static_cast<std::uint8_t>(byte); }
  void add(ByteView bytes) {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
  }
  void add_two_digits(unsigned number) {
    add(static_cast<int>('0' + number / 10));
    add(static_cast<int>('0' + number % 10));
  }
  void add_time(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    const bool is_short = is_utc_time(time);
    add(is_short ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
    add(is_short ? 13 : 15);
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    if (!is_short) add_two_digits(year / 100);
    add_two_digits(year % 100);
    add_two_digits(static_cast<unsigned>(date.month()));
    add_two_digits(static_cast<unsigned>(date.day()));
    for (const std::int64_t part : {clock.hours().count(), clock.minutes().count(), clock.seconds().count()})
      add_two_digits(static_cast<unsigned>(part));
    add('Z');
  }
  ByteView bytes() const { return ByteView(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, 64> bytes_;  // an entry has at most 56
  std::size_t size_ = 0;
};

std::size_t time_size(Timestamp time) {
  return is_utc_time(time) ? 15 : 17;
}

bool needs_sign(const SerialNumber& serial) {
  return serial.bytes()[0] >= 0x80;
}

// Without the header of the entry, which is of two bytes.
std::size_t entry_content_size(const RevokedCertificate& entry) {
  const std::size_t number = 2 + entry.serial.bytes().size() + (needs_sign(entry.serial) ? 1 : 0);
  const std::size_t reason = entry.reason == RevocationReason::kUnspecified ? 0 : kReasonSize;
  return number + time_size(entry.revoked_at) + reason;
}

Bytes der_unsigned(std::uint64_t number) {
  Bytes content;
  for (int shift = 56; shift >= 0; shift -= 8) {
    const auto byte = static_cast<std::uint8_t>(number >> shift);
    if (!content.empty() || byte != 0 || shift == 0) content.push_back(byte);
  }
  if (content[0] >= 0x80) content.insert(content.begin(), 0);
  return der_value(V_ASN1_INTEGER, {content});
}

Bytes extensions(const Certificate& issuer, const CrlShape& shape) {
  const auto identifier = subject_key_identifier(issuer.native());
  // AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] IMPLICIT OCTET STRING }
  Bytes key =
      der_value(V_ASN1_OCTET_STRING, {ByteView(ASN1_STRING_get0_data(identifier.get()),
                                               static_cast<std::size_t>(ASN1_STRING_length(identifier.get())))});
  key[0] = V_ASN1_CONTEXT_SPECIFIC;
  const Bytes list = der_value(V_ASN1_SEQUENCE, {der_extension(kAuthorityIdentifier, der_value(V_ASN1_SEQUENCE, {key})),
                                                 der_extension(kCrlNumber, der_unsigned(shape.number))});
  return der_value(0, {list}, V_ASN1_CONTEXT_SPECIFIC);
}

Bytes concatenated(std::initializer_list<ByteView> parts) {
  Bytes all;
  for (const ByteView part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

Status check_crl_issuer(const Certificate& issuer) {
  if (issuer.is_ca() && (X509_get_key_usage(issuer.native()) & KU_CRL_SIGN) != 0) return {};
  return invalid_input("crypto.crl.issuer", "expected the certificate of a CA that may sign CRLs");
}

Status check_crl_shape(const CrlShape& shape) {
  if (!is_in_range(shape.this_update) || !is_in_range(shape.next_update) ||
      seconds_of(shape.next_update) <= seconds_of(shape.this_update))
    return bad_shape("expected times from 1970 to 9999, the next update after this one");
  if (shape.size.bytes > kMaxCrlBytes || shape.size.entries > shape.size.bytes ||
      (shape.size.entries == 0) != (shape.size.bytes == 0))
    return bad_shape(fmt::format("expected entries of at most {} bytes, {} came with {} bytes", kMaxCrlBytes,
                                 shape.size.entries, shape.size.bytes));
  return {};
}

// TBSCertList ::= SEQUENCE { version, signature, issuer, thisUpdate, nextUpdate, revokedCertificates OPTIONAL,
// crlExtensions [0] }
CrlFrame crl_frame(const Certificate& issuer, const CrlShape& shape) {
  SmallDer times;
  times.add_time(shape.this_update);
  times.add_time(shape.next_update);
  const auto entry_bytes = static_cast<std::size_t>(shape.size.bytes);
  // Where there is none, the list is left out (§5.1.2.6).
  const Bytes list_header = entry_bytes == 0 ? Bytes() : der_header(V_ASN1_SEQUENCE, entry_bytes);
  const Bytes content =
      concatenated({der_unsigned(1), signature_algorithm(issuer),
                    to_der_bytes<i2d_X509_NAME>(X509_get_subject_name(issuer.native())), times.bytes(), list_header});
  CrlFrame frame{.before = {}, .after = extensions(issuer, shape)};
  frame.before =
      concatenated({der_header(V_ASN1_SEQUENCE, content.size() + entry_bytes + frame.after.size()), content});
  return frame;
}

std::size_t crl_entry_size(const RevokedCertificate& entry) {
  return 2 + entry_content_size(entry);
}

void append_crl_entry(const RevokedCertificate& entry, Bytes& out) {
  const ByteView number = entry.serial.bytes();
  const bool is_signed = needs_sign(entry.serial);
  SmallDer der;
  der.add(V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED);
  der.add(static_cast<int>(entry_content_size(entry)));  // at most 54
  der.add(V_ASN1_INTEGER);
  der.add(static_cast<int>(number.size() + (is_signed ? 1 : 0)));
  if (is_signed) der.add(0);
  der.add(number);
  der.add_time(entry.revoked_at);
  if (entry.reason != RevocationReason::kUnspecified) {
    der.add(kReasonExtension);
    der.add(static_cast<int>(entry.reason));
  }
  out.insert(out.end(), der.bytes().begin(), der.bytes().end());
}

}  // namespace warifu::crypto
