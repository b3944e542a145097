#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "base/temp_dir.h"
#include "front/test_device.h"
#include "front/test_server.h"
#include "store/sqlite_store.h"

namespace warifu::front::test {

// Everything that is stored, as text: two of them are the same when nothing changed.
inline std::string dump(store::Connection& connection) {
  std::string text;
  for (const store::Sql sql : {
           store::Sql("SELECT scope_id || organisation || created_at FROM scopes ORDER BY 1"),
           store::Sql("SELECT registration_id || ' ' || hex(enrollment_id) || mechanism || hex(primary_credential) || "
                      "coalesce(hex(secondary_credential), '') || coalesce(device_id, '') || enabled || hubs || "
                      "hex(revision) || updated_at FROM enrollments ORDER BY 1"),
           store::Sql("SELECT group_id || ' ' || hex(enrollment_id) || mechanism || coalesce(naming, '') || enabled || "
                      "coalesce(ek_authorities, '') || hex(revision) FROM enrollment_groups ORDER BY 1"),
           store::Sql("SELECT hex(ek_name) || group_id || hex(enrollment_id) || coalesce(registration_id, '') || "
                      "is_approved || is_barred FROM group_eks ORDER BY 1"),
           store::Sql("SELECT device_id || ' ' || registration_id || hex(enrollment_id) || coalesce(group_id, '') || "
                      "hex(operation_id) || state || hold || hex(ek_name) || hex(srk_name) || assigned_hub || "
                      "hex(sealed_hub_key) || created_at || updated_at FROM devices ORDER BY 1"),
           store::Sql("SELECT hex(operation_id) || registration_id || hex(enrollment_id) || state || substatus || "
                      "coalesce(hex(challenge_id), '') || hex(sealed_challenge_key) || hex(token_digest) || "
                      "hex(srk_public) || "
                      "created_at || coalesce(ended_at, 'open') FROM operations ORDER BY 1"),
           store::Sql("SELECT registration_id || hex(srk_name) FROM replaced_srks ORDER BY 1"),
           store::Sql("SELECT registration_id || hex(ek_name) || hex(srk_name) || coalesce(approved_at, 'open') "
                      "FROM approvals ORDER BY 1"),
           store::Sql("SELECT registration_id || kind || subject || occurrences FROM alerts ORDER BY 1"),
           store::Sql("SELECT device_id || ' ' || number || hex(sha256) || hex(ek_name) || hex(package) || received_at "
                      "FROM escrow_deposits ORDER BY 1"),
           store::Sql(
               "SELECT hex(digest) || expires_at || coalesce(used_at, 'unused') FROM bootstrap_tokens ORDER BY 1"),
           store::Sql("SELECT hex(digest) || name || permissions || expires_at FROM access_tokens ORDER BY 1"),
           store::Sql("SELECT name || hex(sealed_key) || permissions FROM service_keys ORDER BY 1"),
           store::Sql("SELECT hex(token_id) || route || ' ' || idempotency_key || hex(sealed_answer) || created_at "
                      "FROM idempotency_keys ORDER BY 1"),
           store::Sql("SELECT hex(sha256) || role || vendors || coalesce(distrusted_since, 'trusted') "
                      "FROM ek_authorities ORDER BY 1"),
           store::Sql("SELECT hex(series_sha256) || hex(sha256) FROM ek_crls ORDER BY 1"),
           store::Sql("SELECT hex(ek_name) || hex(sha256) || stored_at FROM ek_certificates ORDER BY 1"),
           store::Sql("SELECT scope_id || kind || hex(revision) || hex(sha256) || hex(key_sha256) || hex(signature) || "
                      "public_key || hex(document) FROM data_packages ORDER BY 1"),
           store::Sql("SELECT name || event_types || hex(sealed_secret) FROM webhooks ORDER BY 1"),
           store::Sql("SELECT name || hex(event_id) || body FROM webhook_deliveries ORDER BY 1"),
           store::Sql("SELECT registration_id || name || version || ' ' || state || ' ' || hex(enrollment_id) || "
                      "hex(ek_name) || hex(sealed_key) || hex(srk_name) FROM application_keys ORDER BY 1"),
           store::Sql("SELECT hex(audit_id) || actor || ' ' || action || ' ' || subject || detail FROM audit_entries "
                      "ORDER BY 1"),
       }) {
    auto query = connection.prepare(sql);
    if (!query) return "unreadable: " + to_string(query.error());
    while (query->step().value_or(false))
      text += query->row().template next<std::string>().value() + "\n";
    text += "--\n";
  }
  return text;
}

// One organisation with two TPMs (tests/vectors/tpm) on a database in a folder of its own. The parts of libs/sim are
// parameters, because only a *_test.cpp may include them.
template <class SteppingClock, class SeededEntropy, class SoftwareTpm>
struct BasicWorld {
  using TestDevice = Device<SoftwareTpm>;

  SteppingClock clock{Timestamp(std::chrono::seconds(1'790'000'000))};
  SeededEntropy entropy{1};
  TempDir folder;
  std::unique_ptr<store::SqliteStore> store =
      store::SqliteStore::open({.path = folder.path() / "warifu.sqlite3", .clock = clock, .entropy = entropy}).value();
  Server server{*store, clock, entropy};
  const SoftwareTpm tpm_a = SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a").value();
  const SoftwareTpm tpm_b = SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "b").value();
  // "a" after TPM2_Clear: the EK stays, the SRK is another one.
  const SoftwareTpm tpm_a_cleared = cleared();
  TestDevice meter{server, clock, tpm_a, "meter-1"};

  BasicWorld() {
    must(server.make_scope());
    must(server.enroll("meter-1", tpm_a.ek()));
  }

  TestDevice device(const SoftwareTpm& tpm, const std::string& id) { return {server, clock, tpm, id}; }

  std::string stored() {
    auto connection =
        store::SqliteConnection::open(folder.path() / "warifu.sqlite3", store::SqliteConnection::Mode::kExisting);
    return connection ? dump(*connection) : "unreadable";
  }
  void put_standing(lifecycle::Standing standing) {
    must(store->write([&](store::Transaction& t) -> Status {
      TRY(auto device, t.provisioning().find_device(scope_id(), DeviceId::parse("meter-1").value()));
      device->standing = standing;
      TRY_STATUS(t.provisioning().put_device(*device));
      return t.audit().record(scope_id(), {"test", "device.standing", "device:meter-1"});
    }));
  }
  // The hub key of a device as it is stored.
  SecretBytes stored_hub_key(const std::string& device) {
    SecretBytes key;
    must(store->write([&](store::Transaction& t) -> Status {
      TRY(auto keys, server.device_desk.reveal_hub_keys(t.provisioning(), t.audit(), {scope_id(), "test"},
                                                        DeviceId::parse(device).value()));
      key = std::move(keys.primary);
      return {};
    }));
    return key;
  }
  SoftwareTpm cleared() const {
    const std::filesystem::path vectors = WARIFU_SOURCE_DIR "/tests/vectors/tpm";
    std::filesystem::copy_file(vectors / "a-ek.pem", folder.path() / "cleared-ek.pem");
    std::filesystem::copy_file(vectors / "b-srk.pem", folder.path() / "cleared-srk.pem");
    return SoftwareTpm::from_vectors(folder.path(), "cleared").value();
  }

  // No answer to a device may hold any part of an enrolled EK: a stranger could collect them.
  bool told_an_endorsement_key() {
    for (const auto* ek : {&tpm_a.ek(), &tpm_b.ek()}) {
      const Bytes name = to_bytes(ek->name().bytes());
      const auto tpm2b = to_bytes(ek->tpm2b());
      const Bytes modulus(tpm2b.end() - 256, tpm2b.end());
      for (const std::string& needle :
           {to_base64(tpm2b), to_base64(modulus), to_hex(modulus), to_hex(name), to_base64(name)})
        for (const std::string& told : server.told_to_devices())
          if (told.find(needle) != std::string::npos) return true;
    }
    return false;
  }
};

}  // namespace warifu::front::test
