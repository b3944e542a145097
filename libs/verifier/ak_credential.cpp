#include "verifier/ak_credential.h"

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "verifier/limits.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::verifier {
namespace {

constexpr std::string_view kSession = "warifu attestation session v1";
constexpr std::string_view kToken = "warifu attestation token v1";
constexpr std::size_t kSecretSize = 32;
// More than either can have: what is longer is not decoded.
constexpr std::size_t kTextSizeMax = 8 * 1024;

struct Session {
  Bytes secret_sha256;
  Bytes ek_name;
  Bytes ak_public;
  Timestamp expires_at;
};

Bytes sha256(ByteView bytes) {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes());
}

Error bad_session() {
  return invalid_input("attestation.session", "this is no session that was made for this device: ask for a credential",
                       "session");
}

Error bad_token() {
  return {ErrorKind::kUnauthenticated, "attestation.token",
          "this needs the token that the activation gave, as Authorization: Bearer"};
}

Result<Timestamp> read_time(wire::Reader& reader) {
  TRY(const auto micros, reader.u64("expires_at"));
  return from_micros(static_cast<std::int64_t>(micros));
}

Result<Session> read_session(ByteView plain) {
  wire::Reader reader(plain);
  TRY(const auto digest, reader.sized16("secret"));
  TRY(const auto ek_name, reader.sized16("ek_name"));
  TRY(const auto ak_public, reader.sized16("ak_public"));
  TRY(const auto expires_at, read_time(reader));
  TRY_STATUS(reader.expect_done("session"));
  return Session{to_bytes(digest), to_bytes(ek_name), to_bytes(ak_public), expires_at};
}

Result<AttestationToken> read_token(ByteView plain) {
  wire::Reader reader(plain);
  TRY(const auto ak_name, reader.sized16("ak_name"));
  TRY(const auto expires_at, read_time(reader));
  TRY_STATUS(reader.expect_done("token"));
  return AttestationToken{"", to_bytes(ak_name), expires_at};
}

// Empty for what is none of ours.
std::optional<SecretBytes> open(const SecretBytes& key, ByteView tied, std::string_view text) {
  if (text.size() > kTextSizeMax) return std::nullopt;
  const auto envelope = from_base64url(text);
  if (!envelope) return std::nullopt;
  auto plain = crypto::open_envelope(key, tied, *envelope);
  if (!plain) return std::nullopt;
  return *std::move(plain);
}

}  // namespace

AkCredentials::AkCredentials(const Clock& clock, Entropy& entropy, const SecretBytes& envelope_key)
    : clock_(clock),
      entropy_(entropy),
      session_key_(derive_key(envelope_key, kSession)),
      token_key_(derive_key(envelope_key, kToken)) {
}

Result<AkChallenge> AkCredentials::challenge(const DeviceKey& device, const tpm::EkPublic& ek,
                                             const attestation::AkPublic& ak) const {
  const auto* identity = ak.identity();
  if (identity == nullptr)
    return invalid_input("ak.attributes", "the AK must come as TPM2B_PUBLIC: a bare key shows no attributes",
                         "ak_public");
  const auto secret = SecretBytes::random(entropy_, kSecretSize);
  TRY(auto credential, tpm::make_credential(ek, identity->name, secret, entropy_));
  const Timestamp expires_at = clock_.now() + kSessionLifetime;
  const Bytes plain = wire::Writer()
                          .sized16(sha256(secret.reveal()))
                          .sized16(ek.name().bytes())
                          .sized16(identity->area.tpm2b())
                          .u64(static_cast<std::uint64_t>(to_micros(expires_at)))
                          .take();
  const Bytes sealed = crypto::seal_envelope(session_key_, tie(kSession, device), plain, entropy_);
  return AkChallenge{std::move(credential), to_base64url(sealed), expires_at};
}

Result<BoundAk> AkCredentials::activate(const DeviceKey& device, std::string_view session, ByteView secret) const {
  const auto plain = open(session_key_, tie(kSession, device), session);
  if (!plain) return bad_session();
  TRY(auto opened, read_session(plain->reveal()));
  const Timestamp now = clock_.now();
  if (opened.expires_at < now)
    return Error{ErrorKind::kUnauthenticated, "attestation.session-expired",
                 "the credential was answered too late: ask for another one"};
  if (!equal_constant_time(sha256(secret), opened.secret_sha256))
    return Error{ErrorKind::kUnauthenticated, "attestation.secret", "this is not the secret of the credential"};
  TRY(const auto area, tpm::PublicArea::from_tpm2b(opened.ak_public));
  return BoundAk{device.scope,
                 device.registration,
                 std::move(opened.ek_name),
                 to_bytes(area.name().bytes()),
                 std::move(opened.ak_public),
                 now};
}

AttestationToken AkCredentials::issue_token(const BoundAk& ak) const {
  const Timestamp expires_at = clock_.now() + kTokenLifetime;
  const Bytes plain = wire::Writer().sized16(ak.ak_name).u64(static_cast<std::uint64_t>(to_micros(expires_at))).take();
  const Bytes sealed = crypto::seal_envelope(token_key_, tie(kToken, {ak.scope, ak.registration_id}), plain, entropy_);
  return {to_base64url(sealed), ak.ak_name, expires_at};
}

Result<Bytes> AkCredentials::check_token(const DeviceKey& device, std::string_view token) const {
  const auto plain = open(token_key_, tie(kToken, device), token);
  if (!plain) return bad_token();
  TRY(auto opened, read_token(plain->reveal()));
  if (opened.expires_at < clock_.now())
    return Error{ErrorKind::kUnauthenticated, "attestation.token-expired",
                 "the token is a day old: the device proves its EK anew"};
  return std::move(opened.ak_name);
}

}  // namespace warifu::verifier
