// Losing power during registrations takes from no device what it was told.
#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

#include "power_cuts.h"
#include "provisioning/sealed_keys.h"
#include "simulated_site.h"

namespace warifu::scenarios {
namespace {

constexpr std::uint64_t kLives = 200;

// What a device was told, and what it cannot know because no answer came.
struct Told {
  std::string operation;
  std::string token;
  std::optional<std::string> hub_key = {};  // opened by the device after "assigned", in hexadecimal
  bool perhaps_collected = false;
  bool perhaps_superseded = false;
};

// What the database says, read past the server.
struct Found {
  std::map<std::string, std::string> hub_keys;    // by device, in hexadecimal
  std::map<std::string, std::string> operations;  // of each device, the one that assigned it
  std::map<std::string, bool> is_ended;           // by operation
  std::multiset<std::string> provisioned;         // operations, by their audit entries
  std::multiset<std::string> collected;
};

// One seeded life of a server: registrations until the power fails, several times, and what is found afterwards.
class Life {
 public:
  Life(std::uint64_t seed, Syncs syncs) : random_(seed), site_(seed), syncs_(syncs) {}

  // An empty text, or what was lost or left half done.
  std::string live() {
    if (!site_.start()) return "does not start";
    site_.make_scope_with(kDevices);
    site_.disk().ignore_syncs(syncs_ == Syncs::kIgnored);
    for (int cut = 0; cut < kCutsPerLife; ++cut) {
      site_.disk().cut_after(1 + random_() % 200, random_());
      if (site_.start()) register_until_power_fails();
      site_.lose_power(random_());
      if (!site_.start()) return "does not start after the power loss";
      if (auto finding = inspect(); !finding.empty()) return finding;
    }
    return {};
  }

 private:
  void register_until_power_fails() {
    while (site_.disk().has_power() && wrong_answer_.empty()) {
      // Now and then the process ends in order: its log is carried over to the database, with power or without.
      if (random_() % 8 == 0 && !site_.start()) return;
      site_.clock().advance(std::chrono::seconds(1));
      register_device(random_() % kDevices);
    }
  }

  void register_device(std::size_t number) {
    const TestDevice device = site_.device(number);
    const auto challenge = device.ask(device.register_request());
    if (challenge.status != 401) return expect_no_power(challenge);
    const auto key = device.open(challenge, "authenticationKey");
    if (!key) return note_wrong("the challenge did not open");
    const std::string token = device.sign(*key);
    const auto accepted = device.ask(device.register_request(token));
    if (accepted.status != 202) {
      if (told_.contains(number)) told_[number].back().perhaps_superseded = true;
      return expect_no_power(accepted);
    }
    auto& told = told_[number];
    told.push_back({member(accepted, "operationId"), token});
    if (random_() % 4 != 0) collect(device, told.back());
  }

  void collect(const TestDevice& device, Told& told) {
    const auto assigned = device.ask(device.poll_request(told.operation, told.token));
    if (assigned.status != 200) {
      told.perhaps_collected = true;
      return expect_no_power(assigned);
    }
    const auto key = device.open(assigned, "registrationState.tpm.authenticationKey");
    if (!key) return note_wrong("the hub key did not open");
    told.hub_key = to_hex(key->reveal());
  }

  // Without power there is one honest answer.
  void expect_no_power(const net::HttpResponse& response) {
    if (site_.disk().has_power()) return note_wrong("refused although there was power: " + response.body);
    if (response.status != 503 || member(response, "errorCode") != "503000")
      note_wrong("answered without power: " + response.body);
  }
  void note_wrong(std::string what) {
    if (wrong_answer_.empty()) wrong_answer_ = std::move(what);
  }

  std::string inspect() {
    if (!wrong_answer_.empty()) return wrong_answer_;
    const auto found = read_database();
    if (!found) return "cannot be read: " + to_string(found.error());
    if (auto half = find_half(*found); !half.empty()) return half;
    for (const auto& [number, told] : told_)
      if (auto loss = find_loss(*found, number, told); !loss.empty()) return loss;
    for (auto& [number, told] : told_)
      if (auto broken = ask_again(*found, number, told.back()); !broken.empty()) return broken;
    return {};
  }

  Result<Found> read_database() {
    TRY(auto connection, site_.inspect_database());
    TRY(const auto damage,
        connection.integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"));
    if (damage != 0) return Error{ErrorKind::kInternal, "test.damage", "the integrity check failed"};
    Found found;
    const auto key = front::test::Server::envelope_key();
    TRY(auto devices, connection.prepare("SELECT device_id, operation_id, sealed_hub_key FROM devices"));
    for (;;) {
      TRY(const bool more, devices.step());
      if (!more) break;
      auto row = devices.row();
      TRY(const auto id, row.next<DeviceId>());
      TRY(const auto operation, row.next<Uuid>());
      TRY(const auto sealed, row.next<Bytes>());
      TRY(const auto hub_key, provisioning::open_hub_key(key, front::test::scope_id(), id, sealed));
      found.operations[id.text()] = operation.text();
      found.hub_keys[id.text()] = to_hex(hub_key.reveal());
    }
    TRY(auto operations, connection.prepare("SELECT operation_id, ended_at IS NOT NULL FROM operations"));
    for (;;) {
      TRY(const bool more, operations.step());
      if (!more) break;
      auto row = operations.row();
      TRY(const auto id, row.next<Uuid>());
      TRY(found.is_ended[id.text()], row.next<bool>());
    }
    TRY(auto audit, connection.prepare("SELECT action, detail FROM audit_entries WHERE actor LIKE 'device:%'"));
    for (;;) {
      TRY(const bool more, audit.step());
      if (!more) break;
      auto row = audit.row();
      TRY(const auto action, row.next<std::string>());
      TRY(const auto detail, row.next<std::string>());
      const auto operation = detail.substr(detail.find(R"("operation_id":")") + 16, 36);
      (action == "device.provision" ? found.provisioned : found.collected).insert(operation);
    }
    return found;
  }

  // What belongs together is there together, answered or not.
  static std::string find_half(const Found& found) {
    std::set<std::string> current;
    for (const auto& [device, operation] : found.operations) {
      if (!found.is_ended.contains(operation)) return "half: " + device + " without its operation";
      current.insert(operation);
    }
    for (const auto& [operation, is_ended] : found.is_ended) {
      if (found.provisioned.count(operation) != 1) return "half: an operation without its audit entry";
      if (!is_ended && !current.contains(operation)) return "half: an open operation that assigned no device";
      if (!is_ended && found.collected.contains(operation)) return "half: a collected operation that is open";
    }
    for (const auto& operation : found.provisioned)
      if (!found.is_ended.contains(operation)) return "half: an audit entry without its operation";
    for (const auto& operation : found.collected)
      if (!found.is_ended.contains(operation)) return "half: a collection without its operation";
    return {};
  }

  static std::string find_loss(const Found& found, std::size_t number, const std::vector<Told>& told) {
    const std::string device = "meter-" + std::to_string(number);
    std::set<std::string> answered;
    for (const Told& one : told) {
      answered.insert(one.operation);
      if (!found.is_ended.contains(one.operation)) return "lost an operation that was answered with 202";
      if (one.hub_key && !found.collected.contains(one.operation)) return "lost the audit entry of an assignment";
    }
    const Told& last = told.back();
    if (!found.operations.contains(device)) return "lost " + device;
    const std::string& current = found.operations.at(device);
    if (current != last.operation && (!last.perhaps_superseded || answered.contains(current)))
      return device + " went back to an older operation";
    if (current == last.operation && last.hub_key && found.hub_keys.at(device) != *last.hub_key)
      return device + " holds another hub key than the server";
    return {};
  }

  // The device goes on where it stood.
  std::string ask_again(const Found& found, std::size_t number, Told& last) {
    const TestDevice device = site_.device(number);
    const bool is_superseded = found.operations.at(device.id()) != last.operation;
    const auto again = device.ask(device.register_request(last.token));
    const bool is_used_up = again.status == 401 && member(again, "info.code") == "challenge.unknown";
    const bool is_open = again.status == 202 && member(again, "operationId") == last.operation;
    if ((last.hub_key || is_superseded) && !is_used_up) return "a used challenge was taken again: " + again.body;
    if (!last.hub_key && !is_superseded && !is_open && !(last.perhaps_collected && is_used_up))
      return "an open operation was forgotten: " + again.body;
    if (is_superseded) return {};
    const auto before = last.hub_key;
    collect(device, last);
    if (!last.hub_key || (before && *before != *last.hub_key)) return "the result cannot be fetched again";
    if (*last.hub_key != found.hub_keys.at(device.id())) return "the device holds another hub key than the server";
    return wrong_answer_;
  }

  std::mt19937_64 random_;
  SimulatedSite site_;
  const Syncs syncs_;
  std::map<std::size_t, std::vector<Told>> told_;  // by device, oldest first
  std::string wrong_answer_;
};

std::string first_finding(Syncs syncs) {
  return scenarios::first_finding(kLives, [&](std::uint64_t seed) { return Life(seed, syncs).live(); });
}

using PowerLossDuringRegistrations = PowerCuts;

TEST_F(PowerLossDuringRegistrations, TakesNothingFromADeviceThatWasAnswered) {
  EXPECT_EQ(first_finding(Syncs::kHonoured), "");
}

// The twin: with the protection taken away the same test must find a loss.
TEST_F(PowerLossDuringRegistrations, TakesAnswersBackWhenTheDiskIgnoresSyncs) {
  EXPECT_NE(first_finding(Syncs::kIgnored), "");
}

// Challenges are in memory only: the device asks anew, and that is all.
TEST_F(PowerLossDuringRegistrations, CostsADeviceBetweenChallengeAndAnswerOneMoreRequest) {
  SimulatedSite site(1);
  ASSERT_TRUE(site.start());
  site.make_scope_with(1);
  const auto before = site.device(0);
  const auto token = before.sign(before.get_challenge().value());
  site.lose_power(7);
  ASSERT_TRUE(site.start());
  const auto device = site.device(0);
  const auto refused = device.ask(device.register_request(token));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(member(refused, "info.code"), "challenge.unknown");
  EXPECT_TRUE(device.provision());
}

}  // namespace
}  // namespace warifu::scenarios
