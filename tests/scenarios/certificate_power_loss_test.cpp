// Losing power while certificates are issued: none is issued twice, and none that was handed out is forgotten.
#include <map>
#include <random>
#include <set>

#include "power_cuts.h"
#include "simulated_site.h"

namespace warifu::scenarios::issuance {
namespace {

constexpr std::uint64_t kLives = 100;

// A certificate as the database has it, read past the server.
struct Row {
  std::string key;  // SHA-256, in hexadecimal
  Bytes certificate;
  std::string state;
};

// One seeded life of a server: certificates until the power fails, several times, and what is found afterwards.
class CertificateLife {
 public:
  CertificateLife(std::uint64_t seed, Syncs syncs) : random_(seed), site_(seed), syncs_(syncs) {}

  // An empty text, or what was lost or done twice.
  std::string live() {
    if (!site_.start()) return "does not start";
    site_.make_scope_with(kDevices);
    for (std::size_t i = 0; i < kDevices; ++i)
      allow_software_keys(i);
    site_.disk().ignore_syncs(syncs_ == Syncs::kIgnored);
    for (int cut = 0; cut < kCutsPerLife; ++cut) {
      site_.disk().cut_after(1 + random_() % 100, random_());
      if (site_.start()) issue_until_power_fails();
      site_.lose_power(random_());
      if (!site_.start()) return "does not start after the power loss";
      if (auto finding = inspect(); !finding.empty()) return finding;
    }
    return {};
  }

 private:
  static RegistrationId name_of(std::size_t number) {
    return RegistrationId::parse("meter-" + std::to_string(number)).value();
  }
  void allow_software_keys(std::size_t number) {
    front::test::must(site_.server().operator_writes([&](store::Transaction& t) -> Status {
      provisioning::Terms terms;
      terms.allow_software_keys = true;
      TRY_STATUS(site_.server().enrollments.put(
          t.provisioning(), t.audit(), {front::test::scope_id(), "operator:test"},
          {name_of(number), provisioning::TpmRequest{SimulatedSite::tpm(number).ek()}, {}, terms},
          {provisioning::Precondition::Existing::kPresent}));
      return {};
    }));
  }

  void issue_until_power_fails() {
    while (site_.disk().has_power() && wrong_.empty()) {
      site_.clock().advance(std::chrono::minutes(30));
      const std::size_t number = random_() % kDevices;
      Bytes& key = keys_[number];
      if (key.empty() || random_() % 4 == 0)
        key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key().spki();
      ask(number, key);
    }
  }

  // What the doors do.
  void ask(std::size_t number, const Bytes& key) {
    const auto issued = site_.server().office.issue(
        {.client = {front::test::scope_id(), name_of(number)}, .door = device_ca::Door::kEst, .public_key = key});
    if (!issued) {
      const bool is_honest = issued.error().kind == ErrorKind::kUnavailable && !site_.disk().has_power();
      if (!is_honest) note_wrong("refused: " + to_string(issued.error()));
      return;
    }
    const Bytes& der = issued->certificate.certificate;
    const auto [told, is_new] = told_.emplace(to_hex(device_ca::key_sha256_of(key)), der);
    if (!is_new && told->second != der) note_wrong("one key got two certificates");
  }
  void note_wrong(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }

  Result<std::vector<Row>> read_database() {
    TRY(auto connection, site_.inspect_database());
    TRY(auto query, connection.prepare("SELECT key_sha256, certificate, state FROM device_certificates"));
    std::vector<Row> rows;
    for (;;) {
      TRY(const bool more, query.step());
      if (!more) return rows;
      auto row = query.row();
      Row one;
      TRY(const auto key_sha256, row.next<Bytes>());
      one.key = to_hex(key_sha256);
      TRY(one.certificate, row.next<Bytes>());
      TRY(one.state, row.next<std::string>());
      rows.push_back(std::move(one));
    }
  }
  Result<std::int64_t> count_orders() {
    TRY(auto connection, site_.inspect_database());
    return connection.integer("SELECT count(*) FROM audit_entries WHERE action = 'certificate.order'");
  }
  Result<std::int64_t> count_issued() {
    TRY(auto connection, site_.inspect_database());
    return connection.integer("SELECT count(*) FROM audit_entries WHERE action = 'certificate.issue'");
  }

  std::string inspect() {
    if (!wrong_.empty()) return wrong_;
    const auto rows = read_database();
    if (!rows) return "cannot be read: " + to_string(rows.error());
    std::set<std::string> keys;
    std::map<std::string, Bytes> stored;
    std::int64_t issued = 0;
    for (const Row& row : *rows) {
      if (!keys.insert(row.key).second) return "two orders for one key";
      if (row.certificate.empty() != (row.state == "issuing")) return "half: a certificate without its state";
      if (!row.certificate.empty()) ++issued;
      stored[row.key] = row.certificate;
    }
    if (count_orders().value_or(-1) != static_cast<std::int64_t>(rows->size()))
      return "half: an order without its audit entry";
    if (count_issued().value_or(-1) != issued) return "half: a certificate without its audit entry";
    for (const auto& [key, der] : told_)
      if (!stored.contains(key) || stored[key] != der) return "lost a certificate that was handed out";
    // The devices go on where they stood.
    for (const auto& [number, key] : keys_)
      ask(number, key);
    return wrong_;
  }

  std::mt19937_64 random_;
  SimulatedSite site_;
  const Syncs syncs_;
  std::map<std::size_t, Bytes> keys_;  // of each device, the one that it has now
  std::map<std::string, Bytes> told_;  // by the digest of the key: the certificate that its device has
  std::string wrong_;
};

std::string first_finding(Syncs syncs) {
  return scenarios::first_finding(kLives, [&](std::uint64_t seed) { return CertificateLife(seed, syncs).live(); });
}

using PowerLossDuringIssuance = PowerCuts;

TEST_F(PowerLossDuringIssuance, IssuesNothingTwiceAndForgetsNothing) {
  EXPECT_EQ(first_finding(Syncs::kHonoured), "");
}

// The twin: with the protection taken away the same test must find a loss.
TEST_F(PowerLossDuringIssuance, ForgetsWhenTheDiskIgnoresSyncs) {
  EXPECT_NE(first_finding(Syncs::kIgnored), "");
}

}  // namespace
}  // namespace warifu::scenarios::issuance
