#include "signing_keys/key_file.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/envelope.h"
#include "wire/json.h"

namespace warifu::signing_keys {
namespace {

namespace json = boost::json;

constexpr std::string_view kKeyFormat = "warifu.key.v1";

// What the envelope is bound to, so that one file's cannot be put into another.
Bytes place_of(const KeyName& name, const crypto::PublicKey& public_key) {
  Bytes place = to_bytes(as_bytes(fmt::format("{}\n{}\n", kKeyFormat, name.text())));
  const Bytes spki = public_key.spki();
  place.insert(place.end(), spki.begin(), spki.end());
  return place;
}

Result<Argon2idCost> read_cost(const wire::JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"memory_kib", "passes", "lanes", "salt"}));
  const auto small = [&](std::string_view field) -> Result<std::uint32_t> {
    TRY(const auto value, fields.required_uint(field));
    if (value > UINT32_MAX) return invalid_input("argon2id.cost", "expected a smaller number", fields.path_of(field));
    return static_cast<std::uint32_t>(value);
  };
  TRY(const auto memory_kib, small("memory_kib"));
  TRY(const auto passes, small("passes"));
  TRY(const auto lanes, small("lanes"));
  return Argon2idCost{memory_kib, passes, lanes};
}

Result<crypto::PublicKey> read_public_key(const wire::JsonFields& fields, crypto::EcCurve curve) {
  TRY(const auto spki, fields.required_bytes("public_key"));
  auto key = crypto::PublicKey::from_spki(spki);
  if (!key) return invalid_input("key_file.public_key", to_string(key.error()), "public_key");
  const auto point = crypto::ec_public_key(*key);
  if (point && point->curve() == curve) return std::move(*key);
  return invalid_input("key_file.public_key", fmt::format("expected a key on {}", to_string(curve)), "public_key");
}

}  // namespace

Result<KeyFile> KeyFile::seal(const KeyName& name, const crypto::PrivateKey& key, const SecretBytes& passphrase,
                              const Argon2idCost& cost, Entropy& entropy) {
  auto public_key = key.public_key();
  TRY(const auto point, crypto::ec_public_key(public_key));
  Bytes salt(kArgon2idSaltSize);
  entropy.fill(salt);
  TRY(const auto sealing_key, argon2id(passphrase, salt, cost, crypto::kEnvelopeKeySize));
  auto sealed = crypto::seal_envelope(sealing_key, place_of(name, public_key), key.to_pem().reveal(), entropy);
  return KeyFile{name, point.curve(), std::move(public_key), cost, std::move(salt), std::move(sealed)};
}

Result<KeyFile> KeyFile::parse(std::string_view text) {
  TRY(const auto value, wire::parse_json(text));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "name", "curve", "public_key", "argon2id", "sealed"}));
  TRY(const auto format, fields.required_string("format"));
  if (format != kKeyFormat)
    return invalid_input("key_file.format", fmt::format("expected \"{}\"", kKeyFormat), fields.path_of("format"));
  TRY(const auto name_text, fields.required_string("name"));
  TRY(auto name, KeyName::parse(name_text));
  TRY(const auto curve_text, fields.required_string("curve"));
  TRY(const auto curve, parse_curve(curve_text));
  TRY(auto public_key, read_public_key(fields, curve));
  TRY(const auto cost_fields, fields.required_object("argon2id"));
  TRY(const auto cost, read_cost(cost_fields));
  TRY(auto salt, cost_fields.required_bytes("salt"));
  if (salt.size() != kArgon2idSaltSize)
    return invalid_input("key_file.format", fmt::format("expected a salt of {} bytes", kArgon2idSaltSize),
                         "argon2id.salt");
  TRY(auto sealed, fields.required_bytes("sealed"));
  return KeyFile{std::move(name), curve, std::move(public_key), cost, std::move(salt), std::move(sealed)};
}

std::string KeyFile::to_json() const {
  return json::serialize(json::object{{"format", kKeyFormat},
                                      {"name", name.text()},
                                      {"curve", to_string(curve)},
                                      {"public_key", to_base64(public_key.spki())},
                                      {"argon2id", json::object{{"memory_kib", cost.memory_kib},
                                                                {"passes", cost.passes},
                                                                {"lanes", cost.lanes},
                                                                {"salt", to_base64(salt)}}},
                                      {"sealed", to_base64(sealed)}}) +
         "\n";
}

Result<crypto::PrivateKey> KeyFile::open(const SecretBytes& passphrase) const {
  TRY(const auto key, argon2id(passphrase, salt, cost, crypto::kEnvelopeKeySize));
  const auto pem = crypto::open_envelope(key, place_of(name, public_key), sealed);
  if (!pem)
    return refused("key_file.passphrase",
                   fmt::format("the passphrase does not open the key {}, or its file was changed", name.text()));
  TRY(auto opened, crypto::PrivateKey::from_pem(*pem));
  if (opened.public_key() == public_key) return opened;
  return refused("key_file.passphrase", fmt::format("the file of {} holds another key than it says", name.text()));
}

}  // namespace warifu::signing_keys
