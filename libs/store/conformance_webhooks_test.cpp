// What the outbox may rely on, and that what operators must hear of is in it with the fact.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "store/conformance_fixture_test.h"
#include "webhooks/outbox.h"

namespace warifu::store {
namespace {

using attestation::Tier;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using webhooks::Delivery;
using webhooks::Progress;
using webhooks::Webhook;

Label label(const std::string& text) {
  return Label::parse(text).value();
}

auto fields(const Webhook& w) {
  return std::tuple(w.scope, w.name, w.url, w.event_types, w.ca_pem, w.sealed_secret, w.sealed_previous_secret,
                    w.previous_until, w.created_at);
}
auto fields(const Progress& p) {
  return std::tuple(p.resume_at, p.failures, p.failing_since, p.is_given_up, p.last_success_at, p.last_failure_at,
                    p.last_failure, p.delivered, p.dropped);
}
auto fields(const Delivery& d) {
  return std::tuple(d.event_id, d.body, d.created_at, d.attempts, d.due_at);
}

class WebhookConformance : public ConformanceTest {
 protected:
  Webhook webhook(const std::string& name, std::vector<std::string> types = {}) const {
    return {.scope = here_,
            .name = label(name),
            .url = "https://events.example.com/" + name,
            .event_types = std::move(types),
            .ca_pem = "-----BEGIN",
            .sealed_secret = sample::bytes(61, 1),
            .created_at = sample::time(1)};
  }
  void add(const Webhook& row) {
    ASSERT_EQ(code_of([&](Transaction& t) { return t.webhooks().insert_webhook(row); }), "");
  }
  Delivery delivery(std::uint64_t number) const {
    return {.event_id = sample::uuid(sample::Kind::kToken, number),
            .body = R"({"n":")" + std::to_string(number) + "\"}",
            .created_at = sample::time(number),
            .due_at = sample::time(number)};
  }
  void append(const std::string& name, std::uint64_t number) {
    ASSERT_EQ(
        code_of([&](Transaction& t) { return t.webhooks().insert_delivery(here_, label(name), delivery(number)); }),
        "");
  }
  std::optional<Delivery> due(const std::string& name, std::uint64_t at = 1000) {
    return found([&](Snapshot& s) { return s.webhooks().find_due(here_, label(name), sample::time(at)); });
  }
  std::size_t waiting(const std::string& name) {
    return found([&](Snapshot& s) { return s.webhooks().backlog(here_, label(name)); }).waiting;
  }
  // What waits for a webhook, in order, as JSON; it is taken away.
  std::vector<boost::json::value> take_all(const std::string& name) {
    std::vector<boost::json::value> bodies;
    while (const auto one = due(name, 1'000'000'000'000)) {
      bodies.push_back(boost::json::parse(one->body));
      EXPECT_EQ(bodies.back().at("id").as_string(), std::string_view(one->event_id.text()));
      EXPECT_TRUE(world_.store->write(
          [&](Transaction& t) { return t.webhooks().remove_delivery(here_, label(name), one->event_id); }));
    }
    return bodies;
  }
  std::vector<std::string> take_types(const std::string& name) {
    std::vector<std::string> types;
    for (const auto& body : take_all(name))
      types.emplace_back(body.at("type").as_string());
    return types;
  }
  std::string put_ledger(std::int64_t revision, Tier overall, std::string result = "{}") {
    verifier::Ledger row{.scope = here_, .registration_id = sample::registration(1), .ak_name = sample::bytes(34, 1)};
    row.revision = revision;
    row.overall = overall;
    row.result = std::move(result);
    row.attested_at = sample::time(static_cast<std::uint64_t>(revision));
    return code_of([&](Transaction& t) { return t.verifier().put_ledger(row, revision - 1); });
  }
  std::string raise(std::chrono::seconds after, const std::string& subject = "other") {
    const provisioning::Alert alert{.scope = here_,
                                    .kind = "ek.duplicate",
                                    .registration_id = sample::registration(1),
                                    .subject = subject,
                                    .detail = "one TPM is one device",
                                    .count = 1,
                                    .first_at = sample::time(1) + after,
                                    .last_at = sample::time(1) + after,
                                    .acknowledged_at = std::nullopt};
    return code_of([&](Transaction& t) { return t.provisioning().raise_alert(alert); });
  }
  Uuid node(std::uint64_t number) const { return sample::uuid(sample::Kind::kOperation, number); }
  bool take_lease(std::uint64_t who, std::uint64_t now, std::uint64_t until) {
    bool taken = false;
    EXPECT_TRUE(world_.store->write([&](Transaction& t) -> Status {
      TRY(taken, t.webhooks().take_lease(here_, label("pager"), {node(who), sample::time(until)}, sample::time(now)));
      return {};
    }));
    return taken;
  }
};

TEST_P(WebhookConformance, AWebhookIsKeptAsItIs) {
  auto row = webhook("pager", {"io.warifu.alert.raised", "io.warifu.approval.waiting"});
  add(row);
  EXPECT_EQ(code_of([&](Transaction& t) { return t.webhooks().insert_webhook(row); }), "webhook.exists");
  row.sealed_previous_secret = row.sealed_secret;
  row.sealed_secret = sample::bytes(61, 2);
  row.previous_until = sample::time(9);
  EXPECT_EQ(code_of([&](Transaction& t) { return t.webhooks().put_secrets(row); }), "");
  EXPECT_EQ(fields(*found([&](Snapshot& s) { return s.webhooks().find_webhook(here_, row.name); })), fields(row));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.webhooks().find_webhook(there_, row.name); }));
  add(webhook("alarm"));
  const auto all = found([&](Snapshot& s) { return s.webhooks().list_webhooks(here_); });
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, label("alarm"));
  EXPECT_THAT(found([&](Snapshot& s) { return s.webhooks().list_webhooks(there_); }), IsEmpty());
  EXPECT_EQ(found([&](Snapshot& s) { return s.webhooks().list_all(); }).size(), 2U);
}

TEST_P(WebhookConformance, OneThatIsRemovedTakesWhatWaitsWithIt) {
  add(webhook("pager"));
  append("pager", 1);
  EXPECT_EQ(code_of([&](Transaction& t) { return t.webhooks().remove_webhook(here_, label("pager")); }), "");
  EXPECT_EQ(waiting("pager"), 0U);
  EXPECT_FALSE(found([&](Snapshot& s) { return s.webhooks().find_progress(here_, label("pager")); }));
  EXPECT_EQ(code_of([&](Transaction& t) { return t.webhooks().remove_webhook(here_, label("pager")); }),
            "webhook.unknown");
  EXPECT_EQ(code_of([&](Transaction& t) { return t.webhooks().put_secrets(webhook("pager")); }), "webhook.unknown");
}

TEST_P(WebhookConformance, WhatWaitsComesInOrderWhenItIsDue) {
  add(webhook("pager"));
  for (const std::uint64_t number : {3U, 1U, 2U})
    append("pager", number);
  EXPECT_EQ(fields(*due("pager")), fields(delivery(1)));
  EXPECT_FALSE(due("pager", 0));
  EXPECT_FALSE(due("other"));
  auto first = delivery(1);
  first.attempts = 4;
  first.due_at = sample::time(50);
  EXPECT_TRUE(world_.store->write(
      [&](Transaction& t) { return t.webhooks().postpone_delivery(here_, label("pager"), first); }));
  EXPECT_EQ(due("pager", 49)->event_id, delivery(2).event_id);
  EXPECT_EQ(due("pager", 50)->event_id, delivery(2).event_id) << "what was put off lets the others pass";
  EXPECT_TRUE(world_.store->write([&](Transaction& t) -> Status {
    for (const std::uint64_t number : {2U, 3U})
      TRY_STATUS(t.webhooks().remove_delivery(here_, label("pager"), delivery(number).event_id));
    return {};
  }));
  EXPECT_FALSE(due("pager", 49));
  EXPECT_EQ(fields(*due("pager", 50)), fields(first));
  const auto find = [&](const ScopeId& scope, const std::string& name, std::uint64_t number) {
    return found(
        [&](Snapshot& s) { return s.webhooks().find_delivery(scope, label(name), delivery(number).event_id); });
  };
  EXPECT_EQ(fields(*find(here_, "pager", 1)), fields(first));
  EXPECT_FALSE(find(here_, "pager", 2)) << "it was taken";
  EXPECT_FALSE(find(here_, "other", 1));
  EXPECT_FALSE(find(there_, "pager", 1));
  for (const std::uint64_t number : {2U, 3U})
    append("pager", number);
  const auto backlog = found([&](Snapshot& s) { return s.webhooks().backlog(here_, label("pager")); });
  EXPECT_EQ(backlog.waiting, 3U);
  EXPECT_EQ(backlog.oldest, sample::time(1));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.webhooks().backlog(here_, label("other")); }).oldest);
}

TEST_P(WebhookConformance, ProgressIsKeptWithoutAnEntry) {
  add(webhook("pager"));
  EXPECT_EQ(fields(*found([&](Snapshot& s) { return s.webhooks().find_progress(here_, label("pager")); })),
            fields(Progress{}));
  const Progress progress{.resume_at = sample::time(1),
                          .failures = 2,
                          .failing_since = sample::time(3),
                          .is_given_up = true,
                          .last_success_at = sample::time(4),
                          .last_failure_at = sample::time(5),
                          .last_failure = "it's away",
                          .delivered = 6,
                          .dropped = 7};
  EXPECT_TRUE(
      world_.store->write([&](Transaction& t) { return t.webhooks().put_progress(here_, label("pager"), progress); }));
  EXPECT_EQ(fields(*found([&](Snapshot& s) { return s.webhooks().find_progress(here_, label("pager")); })),
            fields(progress));
}

TEST_P(WebhookConformance, OneNodeDeliversAtATime) {
  add(webhook("pager"));
  append("pager", 1);
  const auto due_for = [&](std::uint64_t who, std::uint64_t at) {
    return found([&](Snapshot& s) { return s.webhooks().list_due(node(who), sample::time(at)); }).size();
  };
  EXPECT_EQ(due_for(1, 0), 0U) << "nothing is due yet";
  EXPECT_EQ(due_for(1, 10), 1U);
  EXPECT_TRUE(take_lease(1, 10, 40));
  EXPECT_FALSE(take_lease(2, 20, 50));
  EXPECT_EQ(due_for(2, 20), 0U);
  EXPECT_EQ(due_for(1, 20), 1U);
  EXPECT_TRUE(take_lease(1, 20, 60)) << "who has it takes it again";
  EXPECT_FALSE(take_lease(2, 59, 90));
  EXPECT_TRUE(take_lease(2, 60, 90)) << "a node that died holds nothing up";
  EXPECT_FALSE(take_lease(1, 61, 90));
  EXPECT_TRUE(
      world_.store->write([&](Transaction& t) { return t.webhooks().end_lease(here_, label("pager"), node(1)); }));
  EXPECT_FALSE(take_lease(1, 61, 90)) << "only its own";
  EXPECT_TRUE(
      world_.store->write([&](Transaction& t) { return t.webhooks().end_lease(here_, label("pager"), node(2)); }));
  EXPECT_TRUE(take_lease(1, 61, 90));
}

TEST_P(WebhookConformance, TheOldestAreDroppedBeyondAgeAndNumber) {
  add(webhook("pager"));
  for (std::uint64_t number = 1; number <= 9; ++number)
    append("pager", number);
  const auto drop = [&](std::uint64_t before, std::size_t kept_max, std::size_t limit) {
    std::size_t dropped = 0;
    EXPECT_TRUE(world_.store->write([&](Transaction& t) -> Status {
      TRY(const auto excess, t.webhooks().find_excess(here_, label("pager"), kept_max));
      TRY(dropped, t.webhooks().drop_deliveries(here_, label("pager"), {sample::time(before), excess}, limit));
      return {};
    }));
    return dropped;
  };
  EXPECT_EQ(drop(0, 9, 10), 0U);
  EXPECT_EQ(drop(4, 9, 2), 2U) << "no more at once";
  EXPECT_EQ(drop(4, 9, 2), 1U);
  EXPECT_EQ(due("pager")->event_id, delivery(4).event_id);
  EXPECT_EQ(drop(5, 4, 1), 1U) << "no more at once, for both reasons together";
  EXPECT_EQ(drop(0, 4, 10), 1U);
  EXPECT_EQ(due("pager")->event_id, delivery(6).event_id);
  EXPECT_EQ(waiting("pager"), 4U);
}

TEST_P(WebhookConformance, AnEventGoesToThoseThatWantIt) {
  add(webhook("all"));
  add(webhook("alerts", {"io.warifu.alert.raised"}));
  add(webhook("approvals", {"io.warifu.approval.waiting"}));
  EXPECT_EQ(raise(std::chrono::seconds(0)), "");
  const auto all = take_all("all");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all, take_all("alerts")) << "under one ID";
  EXPECT_EQ(waiting("approvals"), 0U);
  EXPECT_EQ(all[0].at("source").as_string(), "/id-scopes/here");
  EXPECT_EQ(all[0].at("subject").as_string(), "registration:" + sample::registration(1).text());
  EXPECT_EQ(all[0].at("data").at("kind").as_string(), "ek.duplicate");
  EXPECT_EQ(all[0].at("data").at("about").as_string(), "other");
  EXPECT_EQ(all[0].at("data").at("count").as_int64(), 1);
}

TEST_P(WebhookConformance, AnAlertIsToldWhenItIsRaisedAndNotWhileItGoesOn) {
  add(webhook("pager"));
  const auto told_after = [&](std::chrono::seconds after) {
    EXPECT_EQ(raise(after), "");
    return take_all("pager").size();
  };
  using std::chrono::seconds;
  EXPECT_EQ(told_after(seconds(0)), 1U);
  EXPECT_EQ(told_after(seconds(60)), 0U);
  EXPECT_EQ(told_after(seconds(170)), 0U) << "it was never quiet";
  EXPECT_EQ(told_after(seconds(290)), 1U) << "it was quiet for two minutes";
  EXPECT_EQ(told_after(seconds(291)), 0U);
  EXPECT_EQ(code_of([&](Transaction& t) {
              return t.provisioning().acknowledge_alert(here_, {sample::registration(1), "ek.duplicate", "other"},
                                                        sample::time(1) + seconds(292));
            }),
            "");
  EXPECT_EQ(told_after(seconds(293)), 1U) << "somebody has looked, and it is back";
  EXPECT_EQ(raise(seconds(294), "another"), "");
  EXPECT_EQ(take_all("pager").size(), 1U) << "another alert";
}

TEST_P(WebhookConformance, AResultIsToldWhenItChangesAndAFirstOneWhenItIsBad) {
  add(webhook("pager"));
  EXPECT_EQ(put_ledger(1, Tier::kAffirming), "");
  EXPECT_THAT(take_types("pager"), IsEmpty());
  EXPECT_EQ(put_ledger(2, Tier::kContraindicated,
                       R"({"overall":"contraindicated","layers":{"boot":"contraindicated"},"findings":[
                         {"layer":"boot","tier":"contraindicated","code":"boot.required","what":"w","where":"PCR 7"},
                         {"layer":"boot","tier":"contraindicated","code":"long","what":")" +
                           std::string(499, 'x') + "éé" + R"(","where":""},
                         {"layer":"identity","tier":"affirming","code":"x","what":"fine","where":""}]})"),
            "");
  const auto told = take_all("pager");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].at("type").as_string(), "io.warifu.attestation.changed");
  EXPECT_EQ(told[0].at("data").at("overall").as_string(), "contraindicated");
  EXPECT_EQ(told[0].at("data").at("before").as_string(), "affirming");
  EXPECT_EQ(told[0].at("data").at("layers").at("boot").as_string(), "contraindicated");
  ASSERT_EQ(told[0].at("data").at("findings").as_array().size(), 2U);
  EXPECT_EQ(told[0].at("data").at("findings").at(1).at("what").as_string(), std::string(499, 'x') + "…");
  EXPECT_EQ(told[0].at("data").at("findings").at(0).at("code").as_string(), "boot.required");
  EXPECT_EQ(put_ledger(3, Tier::kContraindicated), "");
  EXPECT_THAT(take_types("pager"), IsEmpty());
  EXPECT_EQ(put_ledger(4, Tier::kAffirming), "");
  EXPECT_THAT(take_types("pager"), ElementsAre("io.warifu.attestation.changed"));
  EXPECT_EQ(code_of([&](Transaction& t) { return t.verifier().remove_ledger(here_, sample::registration(1)); }), "");
  EXPECT_EQ(put_ledger(1, Tier::kWarning, "no JSON"), "");
  EXPECT_THAT(take_types("pager"), ElementsAre("io.warifu.attestation.changed"));
}

TEST_P(WebhookConformance, AWishIsToldOnce) {
  add(webhook("pager"));
  provisioning::Approval wish{
      here_, sample::registration(1), sample::bytes(34, 1), sample::bytes(34, 2), sample::time(1), {}};
  const auto put = [&] { return code_of([&](Transaction& t) { return t.provisioning().put_approval(wish); }); };
  EXPECT_EQ(put(), "");
  EXPECT_THAT(take_types("pager"), ElementsAre("io.warifu.approval.waiting"));
  EXPECT_EQ(put(), "");
  wish.approved_at = sample::time(2);
  EXPECT_EQ(put(), "");
  EXPECT_THAT(take_types("pager"), IsEmpty());
  wish = {here_, sample::registration(1), sample::bytes(34, 3), sample::bytes(34, 4), sample::time(3), {}};
  EXPECT_EQ(put(), "");
  EXPECT_THAT(take_types("pager"), ElementsAre("io.warifu.approval.waiting"));
  wish.srk_name = sample::bytes(34, 5);
  EXPECT_EQ(put(), "");
  EXPECT_THAT(take_types("pager"), ElementsAre("io.warifu.approval.waiting")) << "another SRK";
  wish.srk_name = sample::bytes(34, 6);
  wish.is_uncertified = true;
  EXPECT_EQ(put(), "");
  EXPECT_THAT(take_types("pager"), IsEmpty()) << "which costs nothing where nobody vouches for the EK";
}

TEST_P(WebhookConformance, AFactThatIsUndoneIsNotTold) {
  add(webhook("pager"));
  EXPECT_EQ(code_of([&](Transaction& t) -> Status {
              TRY_STATUS(t.provisioning().put_approval(
                  {here_, sample::registration(1), sample::bytes(34, 1), sample::bytes(34, 2), sample::time(1), {}}));
              return Error{ErrorKind::kRefused, "test.refused", "no"};
            }),
            "test.refused");
  EXPECT_EQ(waiting("pager"), 0U);
}

TEST_P(WebhookConformance, AnEventDoesNotStandForAnEntry) {
  add(webhook("pager"));
  const auto written = world_.store->write([&](Transaction& t) {
    return t.provisioning().put_approval(
        {here_, sample::registration(1), sample::bytes(34, 1), sample::bytes(34, 2), sample::time(1), {}});
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "store.unaudited");
  EXPECT_EQ(waiting("pager"), 0U);
}

TEST_P(WebhookConformance, WhoDeliversIsWokenByTheCommit) {
  add(webhook("pager"));
  auto& wake = world_.store->outbox_wake();
  wake.wait_for(std::chrono::milliseconds(0));
  const auto waits = [&] {
    const auto begin = std::chrono::steady_clock::now();
    wake.wait_for(std::chrono::seconds(2));
    return std::chrono::steady_clock::now() - begin >= std::chrono::seconds(2);
  };
  EXPECT_EQ(raise(std::chrono::seconds(0)), "");
  EXPECT_FALSE(waits());
  EXPECT_EQ(raise(std::chrono::seconds(1)), "");
  EXPECT_TRUE(waits()) << "there was nothing new to deliver";
}

INSTANTIATE_TEST_SUITE_P(Databases, WebhookConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
