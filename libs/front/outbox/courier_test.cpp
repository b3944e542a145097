#include "front/outbox/courier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "front/outbox/sender.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "webhooks/limits.h"
#include "webhooks/outbox.h"
#include "webhooks/signature.h"

namespace warifu::front::outbox {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

Error away() {
  return {ErrorKind::kUnavailable, "webhook.unreachable", "the receiver takes no connection"};
}

// A receiver that answers as the test says, 200 in the end, and remembers what came.
class ScriptedPoster final : public webhooks::Poster {
 public:
  Result<webhooks::PostReply> post(const webhooks::PostRequest& request) override {
    std::function<void()> during;
    {
      const std::lock_guard lock(mutex_);
      requests.push_back(request);
      during = while_it_is_sent;
    }
    if (during) during();
    const std::lock_guard lock(mutex_);
    if (answer_by_subject)
      return webhooks::PostReply{
          answer_by_subject(std::string(boost::json::parse(request.body).at("subject").as_string()))};
    if (answers.empty()) return webhooks::PostReply{200};
    auto answer = answers.front();
    answers.pop_front();
    return answer;
  }
  std::vector<std::string> subjects() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const auto& request : requests)
      all.emplace_back(boost::json::parse(request.body).at("subject").as_string());
    return all;
  }

  std::mutex mutex_;
  std::deque<Result<webhooks::PostReply>> answers;
  std::function<int(const std::string&)> answer_by_subject;  // if it is set
  std::vector<webhooks::PostRequest> requests;
  std::function<void()> while_it_is_sent;
};

class CourierTest : public ::testing::Test {
 protected:
  CourierTest() { add("pager"); }

  std::string add(const std::string& name, std::vector<std::string> types = {}) {
    std::string secret;
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      TRY(const auto issued,
          world_.server.webhooks.add(t.webhooks(), t.audit(), {test::scope_id(), "operator:test"},
                                     {label(name), "https://events.example.com/" + name, std::move(types)}));
      secret = webhooks::secret_text(issued.secret);
      return {};
    }));
    return secret;
  }
  static Label label(const std::string& name) { return Label::parse(name).value(); }
  void happen(const std::string& subject) {
    world_.clock.advance(std::chrono::milliseconds(1));
    test::must(world_.store->write([&](store::Transaction& t) {
      return webhooks::append(t.webhooks(), world_.entropy, {test::scope_id(), webhooks::kAlertRaised, subject, {}},
                              world_.clock.now());
    }));
  }
  Courier courier() {
    return Courier(world_.clock, world_.entropy, test::Server::envelope_key(), *world_.store, poster_,
                   world_.server.metrics);
  }
  // As the sender's thread does.
  void look(Courier& by) {
    const auto due = by.list_due();
    ASSERT_TRUE(due);
    for (const auto& key : *due)
      EXPECT_TRUE(by.deliver(key, is_stopped_));
  }
  void look() { look(courier_); }
  webhooks::Progress progress(const std::string& name = "pager") {
    std::optional<webhooks::Progress> found;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(found, s.webhooks().find_progress(test::scope_id(), label(name)));
      return {};
    }));
    return found.value();
  }
  std::size_t waiting(const std::string& name = "pager") {
    std::size_t count = 0;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto backlog, s.webhooks().backlog(test::scope_id(), label(name)));
      count = backlog.waiting;
      return {};
    }));
    return count;
  }

  World world_;
  ScriptedPoster poster_;
  std::atomic<bool> is_stopped_ = false;
  Courier courier_ = courier();
};

TEST_F(CourierTest, DeliversInOrderAndSigns) {
  const std::string secret = add("signed");
  happen("a");
  happen("b");
  look();
  EXPECT_THAT(poster_.subjects(), ElementsAre("a", "b", "a", "b")) << "to one, then to the other";
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(progress().delivered, 2);
  EXPECT_EQ(progress().last_success_at, world_.clock.now());
  const auto& request = poster_.requests.back();
  EXPECT_EQ(request.url, "https://events.example.com/signed");
  std::map<std::string, std::string> headers(request.headers.begin(), request.headers.end());
  EXPECT_EQ(headers["Content-Type"], "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(headers["webhook-id"], boost::json::parse(request.body).at("id").as_string());
  EXPECT_EQ(headers["webhook-timestamp"], "1790000000");
  std::vector<SecretBytes> secrets;
  secrets.emplace_back(from_base64(secret.substr(6)).value());
  EXPECT_EQ(headers["webhook-signature"],
            webhooks::signature(secrets, headers["webhook-id"], 1'790'000'000, request.body));
}

TEST_F(CourierTest, WhatFailsIsTriedAgainLaterAndInOrder) {
  poster_.answers = {away(), webhooks::PostReply{503}, webhooks::PostReply{429, seconds(1)}};
  happen("a");
  happen("b");
  look();
  EXPECT_THAT(poster_.subjects(), ElementsAre("a"));
  EXPECT_THAT(progress().last_failure, HasSubstr("takes no connection"));
  look();
  EXPECT_EQ(poster_.requests.size(), 1U) << "not at once";
  for (const std::size_t tries : {2U, 3U}) {
    world_.clock.advance(seconds(4));
    look();
    EXPECT_EQ(poster_.requests.size(), tries);
  }
  EXPECT_THAT(progress().last_failure, HasSubstr("the receiver answered 429"));
  EXPECT_EQ(progress().failures, 3);
  EXPECT_EQ(waiting(), 2U);
  world_.clock.advance(seconds(4));
  look();
  EXPECT_THAT(poster_.subjects(), ElementsAre("a", "a", "a", "a", "b"));
  EXPECT_EQ(progress().failures, 0);
  EXPECT_FALSE(progress().failing_since);
  ASSERT_EQ(poster_.requests.size(), 5U);
  EXPECT_EQ(poster_.requests[0].headers[1], poster_.requests[3].headers[1]) << "under the same ID";
  EXPECT_NE(poster_.requests[0].headers[2], poster_.requests[3].headers[2]) << "signed anew";
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr("warifu_webhook_attempts_total{result=\"failed\"} 3"));
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr("warifu_webhook_attempts_total{result=\"delivered\"} 2"));
}

TEST_F(CourierTest, AnEventThatIsRefusedForItselfDoesNotHoldUpOthers) {
  poster_.answers = {webhooks::PostReply{302}, webhooks::PostReply{200}, webhooks::PostReply{422}};
  happen("bad");
  happen("good");
  look();
  EXPECT_THAT(progress().last_failure, HasSubstr("302: redirects are not followed"));
  for (int i = 0; i < 2; ++i) {
    world_.clock.advance(seconds(1));
    look();
  }
  EXPECT_THAT(poster_.subjects(), ElementsAre("bad", "good", "bad"));
  happen("later");
  world_.clock.advance(seconds(1));
  look();
  EXPECT_THAT(poster_.subjects(), ElementsAre("bad", "good", "bad", "later"));
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(CourierTest, SeveralEventsThatAreRefusedHoldUpNoOther) {
  poster_.answer_by_subject = [](const std::string& subject) { return subject.starts_with("bad") ? 422 : 200; };
  for (const char* subject : {"bad1", "bad2", "bad3", "bad4", "bad5", "good"})
    happen(subject);
  const auto look_for = [&](seconds longest) {
    for (const Timestamp end = world_.clock.now() + longest; world_.clock.now() < end;) {
      look();
      world_.clock.advance(seconds(1));
    }
  };
  look_for(seconds(11));
  EXPECT_THAT(poster_.subjects(), ::testing::Contains("good"))
      << "it waits for a second for each, and its retry, at most";
  // After a day all of them are tried once an hour or so; one that is new is first.
  look_for(hours(24));
  const std::size_t tries = poster_.requests.size();
  happen("good2");
  look_for(seconds(2));
  ASSERT_GT(poster_.requests.size(), tries);
  EXPECT_THAT(poster_.subjects(), ::testing::Contains("good2"));
  EXPECT_EQ(waiting(), 5U);
  // Three days and more, with a success a day: it does not fail.
  for (int day = 0; day < 4; ++day) {
    happen("good");
    for (int i = 0; i < 24; ++i) {
      world_.clock.advance(hours(1));
      for (int j = 0; j < 8; ++j) {
        look();
        world_.clock.advance(seconds(2));
      }
    }
    EXPECT_FALSE(progress().is_given_up) << day;
  }
}

TEST_F(CourierTest, AReceiverThatRefusesAllFails) {
  poster_.answer_by_subject = [](const std::string&) { return 404; };
  happen("a");
  for (int i = 0; i < 74; ++i) {
    look();
    world_.clock.advance(hours(1));
  }
  EXPECT_TRUE(progress().is_given_up);
}

TEST_F(CourierTest, ANodeThatDiedHoldsNothingUpForLong) {
  happen("a");
  Courier other = courier();
  bool was_tried = false;
  poster_.while_it_is_sent = [&] {
    was_tried = true;
    const auto due = other.list_due();
    ASSERT_TRUE(due);
    EXPECT_THAT(*due, IsEmpty()) << "one node sends";
    // Even one that looked before does not send.
    EXPECT_TRUE(other.deliver({test::scope_id(), label("pager")}, is_stopped_));
  };
  // It dies while it sends: what it wrote stays.
  poster_.answers = {Error{ErrorKind::kUnavailable, "webhook.stopped", "died"}};
  look();
  EXPECT_TRUE(was_tried);
  EXPECT_EQ(poster_.requests.size(), 1U);
  EXPECT_EQ(progress().failures, 0) << "nothing is known of that attempt";
  poster_.while_it_is_sent = {};
  // As if its lease had not been ended.
  test::must(world_.store->write([&](store::Transaction& t) -> Status {
    TRY_STATUS(t.webhooks().take_lease(
        test::scope_id(), label("pager"),
        {Uuid::v7(world_.clock.now(), world_.entropy), world_.clock.now() + webhooks::kLeaseLifetime},
        world_.clock.now()));
    return {};
  }));
  look(other);
  EXPECT_EQ(poster_.requests.size(), 1U);
  world_.clock.advance(webhooks::kLeaseLifetime);
  look(other);
  EXPECT_THAT(poster_.subjects(), ElementsAre("a", "a")) << "at least once";
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(CourierTest, WhatAReceiverHasASayInIsKeptAsPlainText) {
  poster_.answers = {Error{ErrorKind::kUnavailable, "webhook.reply", "a\x1b[31m\nb\xff\x7f"}};
  happen("a");
  look();
  EXPECT_THAT(progress().last_failure, HasSubstr("a [31m b"));
  EXPECT_THAT(progress().last_failure, ::testing::Not(HasSubstr("\xff")));
  EXPECT_THAT(progress().last_failure, ::testing::Not(HasSubstr("\x7f")));
}

TEST_F(CourierTest, WhatWasRemovedMeanwhileIsNoError) {
  happen("a");
  poster_.while_it_is_sent = [&] {
    test::must(world_.store->write([&](store::Transaction& t) {
      return world_.server.webhooks.remove(t.webhooks(), t.audit(), {test::scope_id(), "operator:test"},
                                           label("pager"));
    }));
  };
  poster_.answers = {away()};
  look();
  EXPECT_EQ(poster_.requests.size(), 1U);
  const auto due = courier_.list_due();
  ASSERT_TRUE(due);
  EXPECT_THAT(*due, IsEmpty());
}

TEST_F(CourierTest, AfterThreeDaysOthersAreToldAndItIsTriedOn) {
  add("watch", {std::string(webhooks::kWebhookFailing)});
  happen("a");
  poster_.answers.assign(10'000, away());
  for (int i = 0; i < 71; ++i) {
    look();
    world_.clock.advance(hours(1));
  }
  EXPECT_FALSE(progress().is_given_up);
  EXPECT_EQ(waiting("watch"), 0U);
  world_.clock.advance(hours(2));
  look();
  EXPECT_TRUE(progress().is_given_up);
  EXPECT_EQ(waiting("watch"), 1U);
  EXPECT_EQ(waiting(), 1U) << "not to itself";
  EXPECT_TRUE(courier_.measure());
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr("warifu_webhooks{state=\"failing\"} 1"));
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr("warifu_webhook_events_waiting 2"));
  EXPECT_THAT(world_.stored(), HasSubstr("webhook.give-up"));
  poster_.answers.clear();
  world_.clock.advance(hours(2));
  look();
  EXPECT_FALSE(progress().is_given_up);
  EXPECT_THAT(world_.stored(), HasSubstr("webhook.recover"));
  EXPECT_THAT(poster_.subjects(), ::testing::Contains("webhook:pager"));
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(CourierTest, WhatIsTooOldIsDroppedAndThatIsTold) {
  add("watch", {std::string(webhooks::kWebhookDropped)});
  happen("old");
  happen("old too");
  world_.clock.advance(webhooks::kKeptFor);
  happen("new");
  EXPECT_TRUE(courier_.clean_up());
  EXPECT_EQ(waiting(), 1U);
  EXPECT_EQ(progress().dropped, 2);
  EXPECT_EQ(waiting("watch"), 1U);
  EXPECT_THAT(world_.stored(), HasSubstr(R"(webhook.drop webhook:pager{"dropped":2})"));
  EXPECT_THAT(world_.server.metrics.text(), HasSubstr("warifu_webhook_events_dropped_total 2"));
  look();
  EXPECT_THAT(poster_.subjects(), ::testing::UnorderedElementsAre("new", "webhook:pager"));
}

TEST_F(CourierTest, WhatIsTooMuchIsToldOnceAndNotToOnesThatWouldDropIt) {
  for (const char* name : {"full", "lost", "watch"})
    add(name, {std::string(webhooks::kWebhookDropped)});
  const auto fill = [&](const std::string& name, std::size_t count) {
    test::must(world_.store->write([&](store::Transaction& t) -> Status {
      for (std::size_t i = 0; i < count; ++i)
        TRY_STATUS(webhooks::append_for(t.webhooks(), world_.entropy, {label(name)},
                                        {test::scope_id(), webhooks::kAlertRaised, "x", {}}, world_.clock.now()));
      return {};
    }));
    world_.clock.advance(seconds(1));
  };
  fill("pager", webhooks::kKeptMax + 2 * webhooks::kDroppedAtOnceMax + 5);
  fill("full", webhooks::kKeptMax + 1);
  test::must(world_.store->write([&](store::Transaction& t) {
    return t.webhooks().put_progress(test::scope_id(), label("lost"), {.is_given_up = true});
  }));
  EXPECT_TRUE(courier_.clean_up());
  EXPECT_EQ(waiting(), webhooks::kKeptMax);
  EXPECT_EQ(progress().dropped, 2005);
  EXPECT_EQ(progress("full").dropped, 1);
  EXPECT_EQ(waiting("watch"), 2U) << "once of each";
  EXPECT_EQ(waiting("lost"), 0U);
  EXPECT_EQ(waiting("full"), webhooks::kKeptMax);
  EXPECT_TRUE(courier_.clean_up());
  EXPECT_EQ(progress().dropped, 2005);
  EXPECT_EQ(waiting("watch"), 2U) << "there is an end to it";
}

TEST_F(CourierTest, TheSenderIsWokenAndOneSlowReceiverDelaysNoOther) {
  add("other");
  std::promise<void> freed;
  auto is_free = freed.get_future().share();
  std::promise<void> both;
  std::atomic<int> came = 0;
  poster_.while_it_is_sent = [&] {
    if (++came == 2) both.set_value();
    is_free.wait();
  };
  Sender sender(courier_, world_.store->outbox_wake());
  sender.start();
  happen("a");
  EXPECT_EQ(both.get_future().wait_for(seconds(10)), std::future_status::ready);
  freed.set_value();
  sender.stop();
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(waiting("other"), 0U);
}

}  // namespace
}  // namespace warifu::front::outbox
