#include "keystore/master_key.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>

#include "crypto/envelope.h"
#include "crypto/kdf.h"
#include "keystore/files.h"
#include "wire/json.h"

namespace warifu::keystore {
namespace {

constexpr std::size_t kMasterKeySize = 32;
constexpr std::size_t kSaltSize = 16;
constexpr std::string_view kWrapPurpose = "warifu-backup-master-key-v1";

std::filesystem::path place_of(const DataDir& data_dir) {
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  if (credentials == nullptr) return data_dir.master_key();
  const auto credential = std::filesystem::path(credentials) / "warifu-master-key";
  std::error_code ignored;
  return std::filesystem::exists(credential, ignored) ? credential : data_dir.master_key();
}

// As text, so that it survives everything that takes a passphrase.
SecretBytes hex_secret(const SecretBytes& secret) {
  std::string hex = to_hex(secret.reveal());
  auto text = SecretBytes::copy_of(as_bytes(hex));
  wipe(hex);
  return text;
}

}  // namespace

MasterKey MasterKey::generate(Entropy& entropy) {
  return MasterKey(SecretBytes::random(entropy, kMasterKeySize));
}

Result<MasterKey> MasterKey::load(const DataDir& data_dir) {
  const auto place = place_of(data_dir);
  TRY(auto key, read_secret_file(place));
  if (key.size() != kMasterKeySize)
    return invalid_input("master_key.form", fmt::format("the master key has {} bytes, {} has {}", kMasterKeySize,
                                                        place.string(), key.size()));
  return MasterKey(std::move(key));
}

Status MasterKey::save(const DataDir& data_dir) const {
  return write_file(data_dir.master_key(), key_.reveal(), FileMode::kPrivate);
}

SecretBytes MasterKey::envelope_key() const {
  return crypto::hkdf_sha256(key_, {}, as_bytes("warifu database envelope v1"), crypto::kEnvelopeKeySize);
}

SecretBytes MasterKey::results_seed() const {
  return crypto::hkdf_sha256(key_, {}, as_bytes("warifu attestation results v1"), kMasterKeySize);
}

SecretBytes MasterKey::key_passphrase() const {
  return hex_secret(crypto::hkdf_sha256(key_, {}, as_bytes("warifu key file v1"), kMasterKeySize));
}

Result<std::string> MasterKey::wrap(const SecretBytes& passphrase, Entropy& entropy) const {
  Bytes salt(kSaltSize);
  entropy.fill(salt);
  const crypto::ScryptCost cost;
  TRY(const auto key, crypto::scrypt(passphrase, salt, cost, crypto::kEnvelopeKeySize));
  return boost::json::serialize(boost::json::object{
      {"kdf", "scrypt"},
      {"n", cost.n},
      {"r", cost.r},
      {"p", cost.p},
      {"salt", to_base64(salt)},
      {"master_key", to_base64(crypto::seal_envelope(key, as_bytes(kWrapPurpose), key_.reveal(), entropy))},
  });
}

Result<MasterKey> MasterKey::unwrap(std::string_view wrapped, const SecretBytes& passphrase) {
  TRY(const auto json, wire::parse_json(wrapped));
  TRY(const auto fields, wire::JsonFields::of(json));
  TRY(const auto n, fields.required_uint("n"));
  TRY(const auto r, fields.required_uint("r"));
  TRY(const auto p, fields.required_uint("p"));
  TRY(const auto salt_text, fields.required_string("salt"));
  TRY(const auto envelope_text, fields.required_string("master_key"));
  TRY(const auto salt, from_base64(salt_text));
  TRY(const auto envelope, from_base64(envelope_text));
  if (r > UINT32_MAX || p > UINT32_MAX) return invalid_input("backup.scrypt", "the scrypt costs are too large");
  TRY(const auto key,
      crypto::scrypt(passphrase, salt, {n, static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(p)},
                     crypto::kEnvelopeKeySize));
  auto opened = crypto::open_envelope(key, as_bytes(kWrapPurpose), envelope);
  if (!opened || opened->size() != kMasterKeySize)
    return Error{ErrorKind::kRefused, "backup.passphrase", "the passphrase does not open this backup"};
  return MasterKey(*std::move(opened));
}

}  // namespace warifu::keystore
