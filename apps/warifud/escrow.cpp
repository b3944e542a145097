#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/digest.h"
#include "keystore/files.h"
#include "signer_protocol/codec.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"
#include "warifud/signer_link.h"
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

Status open_escrow(const Place& place, const std::filesystem::path& file) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto package, keystore::read_file(file));
  SignerLink signer(place);
  TRY(const auto answer, signer_protocol::call(signer, signer_protocol::OpenEscrow{to_bytes(as_bytes(package))}));
  TRY(const auto opened, parse_content(answer.content));
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
