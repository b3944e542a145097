#include "cmp/transactions.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <future>
#include <set>
#include <thread>

#include "cmp/server.h"
#include "cmp/world_test.h"

namespace warifu::cmp {
namespace {

using crypto::CmpClient;
using testing::IsEmpty;
using testing::SizeIs;

// A client with a secret of its own.
class Device {
 public:
  Device(World& world, int number)
      : reference_("device-" + std::to_string(number)), secret_("secret of " + reference_) {
    const std::lock_guard lock(world.issuer.mutex);
    world.issuer.secrets[reference_] = {secret_};
  }

  const std::string& reference() const { return reference_; }
  const std::string& secret() const { return secret_; }
  Bytes opening(World& world) const { return world.opening(OSSL_CMP_IR, reference_, secret_); }

 private:
  std::string reference_;
  std::string secret_;
};

// Not confirmed: it takes the certificate and falls silent.
bool takes_and_falls_silent(World& world, int number) {
  return world.answer(Device(world, number).opening(world)).status == OSSL_CMP_PKISTATUS_accepted;
}

// All of it.
bool enrolls(World& world, int number) {
  const Device device(world, number);
  CmpClient client([&](Bytes request) { return world.server->answer(request).der; });
  client.by_secret(device.reference(), device.secret());
  client.want(device.reference(), world.device_key);
  return client.ask(OSSL_CMP_IR).has_value();
}

TEST(CmpTransactions, AFloodPushesOutWhatIsDoneAndNothingThatWaits) {
  World world({.transactions = 4});
  CmpClient first([&](Bytes request) {
    if (crypto::seen(request).body == Body::kIr) return world.server->answer(request).der;
    // Meanwhile others come: two that finish, and more than there is room for.
    EXPECT_TRUE(enrolls(world, 1));
    EXPECT_TRUE(enrolls(world, 2));
    EXPECT_TRUE(takes_and_falls_silent(world, 3));
    EXPECT_TRUE(takes_and_falls_silent(world, 4));
    EXPECT_TRUE(takes_and_falls_silent(world, 5));
    for (int i = 6; i < 20; ++i) {
      EXPECT_FALSE(takes_and_falls_silent(world, i));
      EXPECT_EQ(world.answer(Device(world, i).opening(world)).failure, bit(CmpFailure::kSystemUnavail));
      EXPECT_EQ(world.code(), "cmp.busy");
    }
    EXPECT_EQ(world.server->transactions(), 4U);
    return world.server->answer(request).der;
  });
  first.by_secret(kReference, kSecret);
  first.want("device-1", world.device_key);
  EXPECT_TRUE(first.ask(OSSL_CMP_IR));
  EXPECT_TRUE(takes_and_falls_silent(world, 20));  // in the place of the first one
  world.pass(world.limits.confirm_within);
  world.expire();
  EXPECT_EQ(world.server->transactions(), 0U);
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

TEST(CmpTransactions, WhoProvesNothingBeginsNone) {
  World world({.transactions = 2});
  for (int i = 0; i < 50; ++i) {
    world.answer(world.opening(OSSL_CMP_IR, kReference, "wrong"));
    world.answer(world.opening(OSSL_CMP_IR, kReference, kSecret,
                               [](CmpClient& client) { client.option(OSSL_CMP_OPT_UNPROTECTED_SEND, 1); }));
  }
  EXPECT_EQ(world.server->transactions(), 0U);
}

TEST(CmpTransactions, OneClientHasAFewAtATime) {
  World world({.transactions_of_one = 2});
  const auto key = PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto certificate = world.issuer.made("device-1", key);
  const auto asks = [&] {
    CmpClient silent([](Bytes) { return Bytes(); });
    silent.by_certificate(certificate, key, world.issuer.root);
    silent.want("device-1", world.device_key);
    EXPECT_FALSE(silent.ask(OSSL_CMP_CR));
    return world.answer(silent.requests().at(0)).failure;
  };
  EXPECT_EQ(asks(), std::nullopt);
  EXPECT_EQ(asks(), std::nullopt);
  EXPECT_EQ(asks(), bit(CmpFailure::kSystemUnavail));
  EXPECT_TRUE(enrolls(world, 1));
  world.pass(world.limits.confirm_within);
  world.expire();
  EXPECT_EQ(asks(), std::nullopt);
}

TEST(CmpTransactions, OneClientsNewTransactionTakesThePlaceOfItsDoneOne) {
  World world({.transactions_of_one = 1});
  const auto key = PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto certificate = world.issuer.made("device-1", key);
  for (int i = 0; i < 3; ++i) {
    CmpClient client(world.transfer());
    client.by_certificate(certificate, key, world.issuer.root);
    client.want("device-1", world.device_key);
    EXPECT_TRUE(client.ask(OSSL_CMP_CR)) << world.code();
  }
  EXPECT_EQ(world.server->transactions(), 1U);
}

TEST(CmpTransactions, TakeBoundedMemory) {
  World world({.bytes = 20'000});
  int taken = 0;
  while (taken < 100 && takes_and_falls_silent(world, taken))
    ++taken;
  EXPECT_GT(taken, 1);
  EXPECT_LT(taken, 6);
  EXPECT_EQ(world.code(), "cmp.busy");
}

// Who waits is asked about again, with all the names that it wants.
TEST(CmpTransactions, TakeBoundedMemoryForTheLargestRequestsToo) {
  World world({.bytes = 100'000});
  world.issuer.on_issue = [](const Order&) { return Result<Decision>(Wait{std::chrono::seconds(20)}); };
  int taken = 0;
  std::size_t bytes = 0;
  for (; taken < 100; ++taken) {
    const Device device(world, taken);
    const Bytes request = world.opening(OSSL_CMP_IR, device.reference(), device.secret(), [](CmpClient& client) {
      const crypto::GeneralNameHandle name(
          a2i_GENERAL_NAME(nullptr, nullptr, nullptr, GEN_DNS, std::string(253, 'a').c_str(), 0));
      for (std::size_t i = 0; i < crypto::kMaxRequestedNames; ++i)
        EXPECT_EQ(OSSL_CMP_CTX_push1_subjectAltName(client.native(), name.get()), 1);
    });
    if (world.answer(request).status != OSSL_CMP_PKISTATUS_waiting) break;
    bytes += request.size();
  }
  EXPECT_GT(taken, 1);
  EXPECT_LT(bytes, world.limits.bytes);
  EXPECT_EQ(world.code(), "cmp.busy");
}

TEST(CmpTransactions, WhatIsDoneIsRememberedForAWhile) {
  World world;
  EXPECT_TRUE(enrolls(world, 1));
  world.pass(world.limits.remember_for - std::chrono::seconds(1));
  world.expire();
  EXPECT_EQ(world.server->transactions(), 1U);
  world.pass(std::chrono::seconds(1));
  world.expire();
  EXPECT_EQ(world.server->transactions(), 0U);
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

// Between its end and the next look at the clock.
TEST(CmpTransactions, WhatIsOverBeginsAnew) {
  World world;
  const Bytes request = world.opening();
  EXPECT_EQ(world.answer(request).status, OSSL_CMP_PKISTATUS_accepted);
  world.pass(world.limits.confirm_within);
  EXPECT_EQ(world.answer(request).status, OSSL_CMP_PKISTATUS_accepted);
  EXPECT_EQ(world.issuer.issue_calls, 2);
  EXPECT_THAT(world.issuer.issued, SizeIs(1));
  EXPECT_EQ(world.server->transactions(), 1U);
}

// A refusal that could not be signed was told to nobody; the CA decides again, and its place is free once that is done.
TEST(CmpTransactions, WhatIsDecidedTwiceIsDoneOnce) {
  World world({.transactions = 1});
  bool is_away = true;
  world.sign_elsewhere(is_away);
  const auto key = PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto certificate = world.issuer.made("device-1", key);
  CmpClient client([&](Bytes request) {
    if (crypto::seen(request).body == Body::kCr) {
      world.issuer.on_issue = [](const Order&) { return Result<Decision>(refused("device.hold", "on hold")); };
      EXPECT_EQ(world.answer(request).failure, bit(CmpFailure::kSystemUnavail));
      EXPECT_EQ(world.code(), "signer.away");
      world.issuer.on_issue = nullptr;
      is_away = false;
    }
    return world.server->answer(request).der;
  });
  client.by_certificate(certificate, key, world.issuer.root);
  client.want("device-1", world.device_key);
  EXPECT_TRUE(client.ask(OSSL_CMP_CR)) << world.code();
  EXPECT_TRUE(enrolls(world, 1));
  EXPECT_TRUE(enrolls(world, 2));
  EXPECT_EQ(world.server->transactions(), 1U);
}

// The issuer of one transaction blocks until it is told to go on.
struct Gate {
  void wait() {
    std::unique_lock lock(mutex);
    is_reached = true;
    changed.notify_all();
    changed.wait(lock, [&] { return is_open; });
  }
  void until_reached() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_reached; });
  }
  void open() {
    const std::lock_guard lock(mutex);
    is_open = true;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool is_reached = false;
  bool is_open = false;
};

TEST(CmpTransactions, OneThatBlocksBlocksNoOther) {
  World world;
  Gate gate;
  const Bytes blocked = world.opening();
  world.issuer.on_issue = [&](const Order& order) -> std::optional<Result<Decision>> {
    if (std::get<BySecret>(order.asker).reference == kReference) gate.wait();
    return std::nullopt;
  };
  auto first = std::async(std::launch::async, [&] { return world.server->answer(blocked); });
  gate.until_reached();
  EXPECT_TRUE(enrolls(world, 1));
  world.expire();
  gate.open();
  EXPECT_FALSE(first.get().error);
}

TEST(CmpTransactions, TheSameRequestAtTheSameTimeIsDecidedOnce) {
  World world({.waiting_for_one = 3});
  Gate gate;
  const Bytes request = world.opening();
  world.issuer.on_issue = [&](const Order&) -> std::optional<Result<Decision>> {
    gate.wait();
    return std::nullopt;
  };
  std::vector<std::future<Answer>> same;
  same.push_back(std::async(std::launch::async, [&] { return world.server->answer(request); }));
  gate.until_reached();
  for (int i = 0; i < 5; ++i)
    same.push_back(std::async(std::launch::async, [&] { return world.server->answer(request); }));
  // Two wait for the first; each further one would hold a thread, too.
  const auto busy = [&] {
    return std::ranges::count_if(same, [](const auto& answer) {
      return answer.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready;
    });
  };
  while (busy() < 3)
    std::this_thread::yield();
  EXPECT_EQ(busy(), 3);
  gate.open();
  std::set<Bytes> answers;
  for (auto& future : same)
    if (const auto answer = future.get(); !answer.error) answers.insert(answer.der);
  EXPECT_THAT(answers, SizeIs(1));
  EXPECT_EQ(world.issuer.issue_calls, 1);
}

// For a sanitizer: everything at once.
TEST(CmpTransactions, ManyAreServedAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 15;
  World world({.transactions = 10});
  std::atomic<bool> is_over = false;
  std::thread housekeeping([&] {
    while (!is_over) {
      world.pass(std::chrono::seconds(1));
      world.expire();
      world.server->use(world.credential(world.cmp_key));
    }
  });
  std::atomic<int> enrolled = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i)
        if (enrolls(world, thread * kEach + i)) ++enrolled;
    });
  for (auto& thread : threads)
    thread.join();
  is_over = true;
  housekeeping.join();
  // A slow machine may let one expire before it is confirmed.
  EXPECT_GT(enrolled, 0);
  EXPECT_EQ(world.issuer.confirmed.size(), static_cast<std::size_t>(enrolled));
  EXPECT_EQ(std::set<Bytes>(world.issuer.confirmed.begin(), world.issuer.confirmed.end()).size(),
            world.issuer.confirmed.size());
  EXPECT_GE(world.issuer.issued.size(), world.issuer.confirmed.size());
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
  world.pass(world.limits.remember_for);
  world.expire();
  EXPECT_EQ(world.server->transactions(), 0U);
}

}  // namespace
}  // namespace warifu::cmp
