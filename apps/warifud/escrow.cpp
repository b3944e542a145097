#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/cms.h"
#include "crypto/digest.h"
#include "keystore/files.h"
#include "pki/authority.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"
#include "wire/json.h"

namespace warifu::warifud {
namespace {

namespace json = boost::json;

constexpr std::string_view kKind = "tpm-lockout-auth";

Status record(const Organisation& organisation, Outside& outside, const audit::Entry& entry) {
  TRY(const auto store, organisation.open_store(outside));
  return store->write([&](store::Transaction& transaction) -> Status {
    TRY(const auto scopes, transaction.provisioning().list_scopes());
    if (scopes.empty()) return Error{ErrorKind::kNotFound, "scope.none", "the database holds no organisation"};
    for (const ScopeId& scope : scopes)
      TRY_STATUS(transaction.audit().record(scope, entry));
    return {};
  });
}

// As it stands in the root's name, "Example root".
std::string name_of_organisation(const crypto::Certificate& root) {
  const std::string name = root.common_name();
  return name.substr(0, name.rfind(fmt::format(" {}", to_string(pki::Role::kRoot))));
}

// What a device says that it deposited. It chose every byte: only what has this form is shown, written anew, so that no
// control character reaches a terminal.
struct Opened {
  RegistrationId registration;
  SecretBytes text;
};

Result<Opened> parse_content(const SecretBytes& content) {
  TRY(auto value, wire::parse_json(as_text(content.reveal())));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"kind", "registration_id", "ek_name", "created_at", "auth"}));
  TRY(const auto kind, fields.required_string("kind"));
  if (kind != kKind)
    return invalid_input("escrow.kind", fmt::format("expected \"{}\" in the package, found another kind", kKind));
  TRY(const auto id, fields.required_string("registration_id"));
  TRY(auto registration, RegistrationId::parse(id));
  for (const char* name : {"ek_name", "created_at", "auth"})
    TRY_STATUS(fields.required_string(name));
  std::string text = json::serialize(value);
  Opened opened{std::move(registration), SecretBytes::copy_of(as_bytes(text))};
  wipe(text);
  return opened;
}

}  // namespace

Status create_escrow(const Place& place) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  const auto& data_dir = organisation.data_dir;
  const auto role = to_string(pki::Role::kEscrow);
  if (data_dir.read_role_certificate(role))
    return Error{ErrorKind::kConflict, "escrow.exists",
                 fmt::format("{} has an escrow certificate: another key would not open what was deposited for it",
                             data_dir.path().string())};
  const auto passphrase = organisation.master_key.key_passphrase();
  TRY(auto certificate, data_dir.read_role_certificate(to_string(pki::Role::kRoot)));
  TRY(auto key, data_dir.read_role_key(to_string(pki::Role::kRoot), passphrase));
  const pki::Authority root{std::move(certificate), std::move(key)};
  TRY(const auto escrow,
      pki::make_escrow(name_of_organisation(root.certificate), root, outside.clock, outside.entropy));
  // First, so that no certificate is ever in service that the audit log does not know.
  TRY_STATUS(record(organisation, outside,
                    {"system", "escrow.create", "role:escrow",
                     fmt::format(R"({{"serial":"{}","not_after":"{}"}})", to_hex(escrow.certificate.serial()),
                                 to_rfc3339(escrow.certificate.not_after()))}));
  TRY_STATUS(data_dir.write_role(role, escrow.certificate, escrow.key, passphrase, outside.entropy));
  fmt::print("The escrow certificate is good until {}. A running server shows it after SIGHUP.\n",
             to_rfc3339(escrow.certificate.not_after()));
  return {};
}

Status open_escrow(const Place& place, const std::filesystem::path& file) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto package, keystore::read_file(file));
  TRY(const auto key,
      organisation.data_dir.read_role_key(to_string(pki::Role::kEscrow), organisation.master_key.key_passphrase()));
  TRY(const auto content, crypto::cms_decrypt(key, as_bytes(package)));
  TRY(const auto opened, parse_content(content));
  // First: who has seen it is known, whatever happens to the output.
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(package)});
  TRY_STATUS(record(organisation, outside,
                    {"system", "escrow.open", fmt::format("device:{}", opened.registration.text()),
                     fmt::format(R"({{"sha256":"{}"}})", to_hex(digest.bytes()))}));
  fmt::print(stderr,
             "warning: \"auth\" is the lockoutAuth of this device's TPM. Whoever knows it may clear the TPM: keep it "
             "off disks and tickets, and set a new one after use.\n");
  fmt::print("{}\n", as_text(opened.text.reveal()));
  return {};
}

}  // namespace warifu::warifud
