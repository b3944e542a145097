#include "tcb/tls_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wire/reader.h"

namespace warifu::tcb::tls {
namespace {

using wire::Reader;

constexpr std::uint16_t kTls12 = 0x0303;  // the legacy_version of every TLS 1.3 hello
constexpr std::uint16_t kTls13 = 0x0304;
constexpr std::size_t kCertificatesMax = 8;

// RFC 8446 §4.2.
enum ExtensionType : std::uint16_t {
  kPreSharedKey = 41,
  kSupportedVersions = 43,
  kCookie = 44,
  kKeyShare = 51,
};

// SHA-256 of "HelloRetryRequest" (RFC 8446 §4.1.3).
constexpr std::array<std::uint8_t, 32> kRetryRandom = {0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C,
                                                       0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB,
                                                       0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

Error malformed(std::string message, std::string where) {
  return invalid_input("tcb.handshake.form", std::move(message), std::move(where));
}

// opaque field<0..2^8-1>
Result<ByteView> sized8(Reader& in, std::string_view field) {
  TRY(const std::uint8_t size, in.u8(field));
  return in.bytes(size, field);
}

// opaque field<0..2^24-1>
Result<ByteView> sized24(Reader& in, std::string_view field) {
  TRY(const std::uint8_t high, in.u8(field));
  TRY(const std::uint16_t low, in.u16(field));
  return in.bytes(std::size_t{high} << 16 | low, field);
}

// Extension field<0..2^16-1>; no type twice (§4.2).
Result<Extensions> extensions(Reader& in, std::string_view field) {
  TRY(Reader list, in.sized16_reader(field));
  Extensions found;
  while (list.remaining() > 0) {
    const std::size_t offset = list.offset();
    TRY(const std::uint16_t type, list.u16(field));
    TRY(const ByteView data, list.sized16(field));
    if (std::ranges::find(found, type, &TlsHandshake::Extension::type) != found.end())
      return malformed(fmt::format("extension {} stands twice", type), wire::place(field, offset));
    found.push_back({type, data});
  }
  return found;
}

// What stands in both hellos before the cipher suites. Returns the random and the session ID.
struct HelloStart {
  ByteView random;
  ByteView session_id;
};
Result<HelloStart> hello_start(Reader& in) {
  TRY(const std::uint16_t version, in.u16("legacy_version"));
  if (version != kTls12)
    return invalid_input("tcb.handshake.version",
                         fmt::format("expected a hello of TLS 1.3, its legacy_version is {:#06x}", version));
  TRY(const ByteView random, in.bytes(32, "random"));
  TRY(const ByteView session_id, sized8(in, "legacy_session_id"));
  if (session_id.size() > 32) return malformed("a session ID has at most 32 bytes", "legacy_session_id");
  return HelloStart{random, session_id};
}

Result<std::vector<std::uint16_t>> cipher_suites(Reader& in) {
  TRY(Reader list, in.sized16_reader("cipher_suites"));
  std::vector<std::uint16_t> suites;
  while (list.remaining() > 0) {
    TRY(const std::uint16_t suite, list.u16("cipher_suites"));
    suites.push_back(suite);
  }
  return suites;
}

// TLS 1.3 is what supported_versions says, whatever legacy_version does (§4.2.1).
Status check_chosen_version(const Extensions& extensions) {
  const auto found = std::ranges::find(extensions, kSupportedVersions, &TlsHandshake::Extension::type);
  if (found == extensions.end())
    return invalid_input("tcb.handshake.version", "the server did not choose TLS 1.3", "supported_versions");
  Reader in(found->data);
  TRY(const std::uint16_t version, in.u16("supported_versions"));
  TRY_STATUS(in.expect_done("supported_versions"));
  if (version == kTls13) return {};
  return invalid_input("tcb.handshake.version", fmt::format("the server chose version {:#06x}, not TLS 1.3", version),
                       "supported_versions");
}

// Which extensions a ServerHello or a HelloRetryRequest may carry (§4.2, the table).
Status check_server_extensions(const Extensions& extensions, bool is_retry_request) {
  bool has_key_share = false;
  for (const auto& extension : extensions) {
    if (extension.type == kPreSharedKey)
      return Error{ErrorKind::kRefused, "tcb.handshake.resumed",
                   "the session was resumed or uses a pre-shared key: no certificate proves the server",
                   "pre_shared_key"};
    has_key_share |= extension.type == kKeyShare;
    const bool known = extension.type == kSupportedVersions || extension.type == kKeyShare ||
                       (extension.type == kCookie && is_retry_request);
    if (!known) return malformed(fmt::format("a ServerHello has no extension {}", extension.type), "extensions");
  }
  if (has_key_share || is_retry_request) return {};
  return malformed("a ServerHello without a key share", "key_share");
}

}  // namespace

Result<ClientHello> parse_client_hello(ByteView body) {
  Reader in(body);
  TRY(const auto start, hello_start(in));
  TRY(auto suites, cipher_suites(in));
  TRY(const ByteView compression, sized8(in, "legacy_compression_methods"));
  if (compression.size() != 1 || compression[0] != 0)
    return malformed("expected the null compression method only", "legacy_compression_methods");
  TRY(auto found, extensions(in, "extensions"));
  TRY_STATUS(in.expect_done("ClientHello"));
  return ClientHello{start.session_id, std::move(suites), std::move(found)};
}

Result<ServerHello> parse_server_hello(ByteView body) {
  Reader in(body);
  TRY(const auto start, hello_start(in));
  TRY(const std::uint16_t suite, in.u16("cipher_suite"));
  TRY(const std::uint8_t compression, in.u8("legacy_compression_method"));
  if (compression != 0) return malformed("expected the null compression method", "legacy_compression_method");
  // A hello of TLS 1.2 may end here.
  if (in.remaining() == 0)
    return invalid_input("tcb.handshake.version", "the server did not choose TLS 1.3", "extensions");
  TRY(const auto found, extensions(in, "extensions"));
  TRY_STATUS(in.expect_done("ServerHello"));
  TRY_STATUS(check_chosen_version(found));
  const bool is_retry_request = std::ranges::equal(start.random, kRetryRandom);
  TRY_STATUS(check_server_extensions(found, is_retry_request));
  return ServerHello{is_retry_request, start.session_id, suite};
}

Status parse_encrypted_extensions(ByteView body) {
  Reader in(body);
  TRY_STATUS(extensions(in, "extensions"));
  return in.expect_done("EncryptedExtensions");
}

Status parse_certificate_request(ByteView body) {
  Reader in(body);
  TRY(const ByteView context, sized8(in, "certificate_request_context"));
  if (!context.empty()) return malformed("expected no context during the handshake", "certificate_request_context");
  TRY_STATUS(extensions(in, "extensions"));
  return in.expect_done("CertificateRequest");
}

Result<std::vector<ByteView>> parse_certificate(ByteView body) {
  Reader in(body);
  TRY(const ByteView context, sized8(in, "certificate_request_context"));
  if (!context.empty()) return malformed("a certificate of a handshake has no context", "certificate_request_context");
  const std::size_t start = in.offset() + 3;
  TRY(const ByteView list, sized24(in, "certificate_list"));
  TRY_STATUS(in.expect_done("Certificate"));
  Reader entries(list);
  std::vector<ByteView> certificates;
  while (entries.remaining() > 0) {
    if (certificates.size() == kCertificatesMax)
      return malformed(fmt::format("expected at most {} certificates", kCertificatesMax),
                       wire::place("certificate_list", start + entries.offset()));
    TRY(const ByteView certificate, sized24(entries, "cert_data"));
    TRY_STATUS(extensions(entries, "certificate extensions"));
    certificates.push_back(certificate);
  }
  if (certificates.empty()) return malformed("no certificate was shown", "certificate_list");
  return certificates;
}

Result<CertificateVerify> parse_certificate_verify(ByteView body) {
  Reader in(body);
  TRY(const std::uint16_t scheme, in.u16("algorithm"));
  TRY(const ByteView signature, in.sized16("signature"));
  TRY_STATUS(in.expect_done("CertificateVerify"));
  return CertificateVerify{scheme, signature};
}

Status parse_finished(ByteView body, std::size_t hash_size) {
  Reader in(body);
  TRY_STATUS(in.bytes(hash_size, "verify_data"));
  return in.expect_done("Finished");
}

}  // namespace warifu::tcb::tls
