#include "tcb/tls_handshake.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tcb/tls_messages.h"
#include "wire/reader.h"

namespace warifu::tcb {
namespace {

using tls::MessageType;

constexpr std::uint8_t kMessageHash = 254;

std::string_view to_string(MessageType type) {
  switch (type) {
    case MessageType::kClientHello:
      return "ClientHello";
    case MessageType::kServerHello:
      return "ServerHello";
    case MessageType::kEncryptedExtensions:
      return "EncryptedExtensions";
    case MessageType::kCertificate:
      return "Certificate";
    case MessageType::kCertificateRequest:
      return "CertificateRequest";
    case MessageType::kCertificateVerify:
      return "CertificateVerify";
    case MessageType::kFinished:
      return "Finished";
  }
  return "message";
}

// RFC 8446 §B.4, those that OpenSSL offers by default.
Result<crypto::HashAlgorithm> hash_of_suite(std::uint16_t suite) {
  if (suite == 0x1301 || suite == 0x1303) return crypto::HashAlgorithm::kSha256;  // AES-128-GCM, ChaCha20-Poly1305
  if (suite == 0x1302) return crypto::HashAlgorithm::kSha384;                     // AES-256-GCM
  return Error{ErrorKind::kRefused, "tcb.handshake.suite", fmt::format("cipher suite {:#06x} is not taken", suite),
               "cipher_suite"};
}

// Takes the messages one by one, each with the type that must come next.
class Sequence {
 public:
  explicit Sequence(std::span<const Bytes> messages) : messages_(messages) {}

  bool next_is(MessageType type) const {
    return position_ < messages_.size() && !messages_[position_].empty() &&
           messages_[position_][0] == static_cast<std::uint8_t>(type);
  }

  // The body of the next message, whose header must say this type and exactly its size (§4).
  Result<ByteView> take(MessageType type) {
    if (!next_is(type)) return out_of_order(to_string(type));
    wire::Reader in(messages_[position_]);
    TRY(const std::uint32_t header, in.u32("message header"));
    TRY(const ByteView body, in.bytes(header & 0xffffff, to_string(type)));
    TRY_STATUS(in.expect_done(to_string(type)));
    ++position_;
    return body;
  }

  Status expect_done() const { return position_ == messages_.size() ? Status() : out_of_order("no further message"); }
  // Those that were taken.
  std::span<const Bytes> taken() const { return messages_.first(position_); }

 private:
  Error out_of_order(std::string_view expected) const {
    const std::string got = position_ == messages_.size()  ? "the end"
                            : messages_[position_].empty() ? "an empty message"
                                                           : fmt::format("type {}", messages_[position_][0]);
    return invalid_input("tcb.handshake.order", fmt::format("expected {}, got {}", expected, got),
                         fmt::format("message {}", position_));
  }

  std::span<const Bytes> messages_;
  std::size_t position_ = 0;
};

Status check_answer(const tls::ServerHello& server, const tls::ClientHello& client) {
  if (std::ranges::find(client.cipher_suites, server.cipher_suite) == client.cipher_suites.end())
    return invalid_input("tcb.handshake.suite", "the server chose a cipher suite that was not offered", "cipher_suite");
  if (!std::ranges::equal(server.session_id, client.session_id))
    return invalid_input("tcb.handshake.form", "the ServerHello answers another ClientHello", "legacy_session_id_echo");
  return {};
}

struct Hellos {
  tls::ClientHello client;  // the last one
  std::uint16_t cipher_suite;
  bool retried;
};

Result<Hellos> take_hellos(Sequence& in) {
  TRY(const ByteView first_client, in.take(MessageType::kClientHello));
  TRY(auto client, tls::parse_client_hello(first_client));
  TRY(const ByteView first_server, in.take(MessageType::kServerHello));
  TRY(const auto server, tls::parse_server_hello(first_server));
  TRY_STATUS(check_answer(server, client));
  if (!server.is_retry_request) return Hellos{std::move(client), server.cipher_suite, false};

  TRY(const ByteView second_client, in.take(MessageType::kClientHello));
  TRY(auto again, tls::parse_client_hello(second_client));
  TRY(const ByteView second_server, in.take(MessageType::kServerHello));
  TRY(const auto final, tls::parse_server_hello(second_server));
  TRY_STATUS(check_answer(final, again));
  if (final.is_retry_request)
    return invalid_input("tcb.handshake.order", "expected ServerHello, got a second HelloRetryRequest", "message 3");
  // §4.1.4: the hash of the transcript may not change under way.
  if (final.cipher_suite != server.cipher_suite)
    return invalid_input("tcb.handshake.suite", "the server changed the cipher suite after its HelloRetryRequest",
                         "cipher_suite");
  return Hellos{std::move(again), final.cipher_suite, true};
}

// §4.4.1: Hash(M1 | M2 | …); after a HelloRetryRequest a message that holds the hash of the first ClientHello stands
// for it.
crypto::Digest transcript_hash(std::span<const Bytes> messages, crypto::HashAlgorithm hash, bool retried) {
  Bytes transcript;
  if (retried) {
    const auto first = crypto::digest(hash, {messages.front()});
    transcript = {kMessageHash, 0, 0, static_cast<std::uint8_t>(first.size())};
    std::ranges::copy(first.bytes(), std::back_inserter(transcript));
    messages = messages.subspan(1);
  }
  for (const Bytes& message : messages)
    transcript.insert(transcript.end(), message.begin(), message.end());
  return crypto::digest(hash, {transcript});
}

// As far as the server's CertificateVerify, and what the rest needs to know of it.
struct ServerHalf {
  TlsHandshake handshake;
  crypto::HashAlgorithm hash;
  bool retried;
  bool asked_for_certificate;
};

Result<ServerHalf> take_server_half(Sequence& in) {
  TRY(auto hellos, take_hellos(in));
  TRY(const auto hash, hash_of_suite(hellos.cipher_suite));
  TRY(const ByteView encrypted_extensions, in.take(MessageType::kEncryptedExtensions));
  TRY_STATUS(tls::parse_encrypted_extensions(encrypted_extensions));
  const bool asked_for_certificate = in.next_is(MessageType::kCertificateRequest);
  if (asked_for_certificate) {
    TRY(const ByteView request, in.take(MessageType::kCertificateRequest));
    TRY_STATUS(tls::parse_certificate_request(request));
  }
  TRY(const ByteView certificate, in.take(MessageType::kCertificate));
  TRY(auto certificates, tls::parse_certificate(certificate));
  const auto transcript = transcript_hash(in.taken(), hash, hellos.retried);
  TRY(const ByteView verify, in.take(MessageType::kCertificateVerify));
  TRY(const auto signature, tls::parse_certificate_verify(verify));
  return ServerHalf{TlsHandshake{std::move(hellos.client.extensions), std::move(certificates), signature.scheme,
                                 signature.signature, transcript},
                    hash, hellos.retried, asked_for_certificate};
}

}  // namespace

std::optional<ByteView> TlsHandshake::client_extension(std::uint16_t type) const {
  const auto found = std::ranges::find(client_extensions, type, &Extension::type);
  if (found == client_extensions.end()) return std::nullopt;
  return found->data;
}

Result<TlsHandshake> parse_tls_handshake(std::span<const Bytes> messages) {
  Sequence in(messages);
  TRY(auto half, take_server_half(in));
  TRY_STATUS(in.expect_done());
  return std::move(half.handshake);
}

Result<ClientAuthentication> parse_client_authentication(std::span<const Bytes> messages) {
  Sequence in(messages);
  TRY(auto half, take_server_half(in));
  if (!half.asked_for_certificate)
    return invalid_input("tcb.handshake.order", "the server asked for no certificate", "CertificateRequest");
  TRY(const ByteView finished, in.take(MessageType::kFinished));
  TRY_STATUS(tls::parse_finished(finished, crypto::digest_size(half.hash)));
  TRY(const ByteView certificate, in.take(MessageType::kCertificate));
  TRY(auto certificates, tls::parse_certificate(certificate));
  TRY_STATUS(in.expect_done());
  return ClientAuthentication{std::move(half.handshake), std::move(certificates),
                              transcript_hash(in.taken(), half.hash, half.retried)};
}

}  // namespace warifu::tcb
