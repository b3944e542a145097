#include "warifu/webhook_commands.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <thread>

#include "keystore/files.h"
#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kCollection = "webhooks";
constexpr std::chrono::seconds kTestWait{20};
constexpr std::chrono::milliseconds kTestPause{200};

const std::vector<Column> kWebhookLines = {{"name", "name"},
                                           {"url", "url"},
                                           {"state", "state"},
                                           {"waiting", "waiting"},
                                           {"oldest waiting", "oldest_waiting_at"},
                                           {"delivered", "delivered"},
                                           {"dropped", "dropped"},
                                           {"failures in a row", "failures"},
                                           {"failing since", "failing_since"},
                                           {"last success", "last_success_at"},
                                           {"last failure", "last_failure_at"},
                                           {"why", "last_failure"},
                                           {"old secret until", "previous_secret_until"},
                                           {"created", "created_at"}};

Status print_secret(const Context& context, const json::value& answer) {
  if (context.json) {
    print_json(answer);
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto secret, fields.required_string("secret"));
  fmt::print("{}\n", secret);
  return {};
}

// What became of an event.
struct Fate {
  bool waits = true;
  std::uint64_t attempts = 0;
};
Result<Fate> fate_of(const ApiClient& api, const std::string& path, const std::string& event_id) {
  const auto answer = api.get(fmt::format("{}/waiting/{}", path, event_id));
  if (!answer && answer.error().kind == ErrorKind::kNotFound) {
    TRY_STATUS(api.get(path));  // it may be the webhook that is not there any more
    return Fate{.waits = false};
  }
  if (!answer) return answer.error();
  TRY(const auto fields, wire::JsonFields::of(*answer));
  TRY(const auto attempts, fields.required_uint("attempts"));
  return Fate{true, attempts};
}

// Waits until it was delivered, or tried.
Result<Fate> wait_for_fate(const ApiClient& api, const std::string& path, const std::string& event_id) {
  Fate fate;
  for (std::chrono::milliseconds waited{}; waited < kTestWait; waited += kTestPause) {
    TRY(fate, fate_of(api, path, event_id));
    if (!fate.waits || fate.attempts > 0) break;
    std::this_thread::sleep_for(kTestPause);
  }
  return fate;
}

// Of a webhook whose test was not delivered.
Result<Error> test_failure(const ApiClient& api, const std::string& path, const std::string& name, const Fate& fate) {
  TRY(const auto answer, api.get(path));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto failure, fields.required_string("last_failure"));
  TRY(const auto state, fields.required_string("state"));
  TRY(const auto waiting, fields.required_uint("waiting"));
  if (fate.attempts > 0)
    return Error{ErrorKind::kRefused, "webhook.test",
                 fmt::format("the receiver of {} did not take it, and it is tried again: {}", name, failure)};
  if (state != "working")
    return Error{ErrorKind::kRefused, "webhook.test",
                 fmt::format("it waits with {} events for {}, whose receiver did not take the one before: {}", waiting,
                             name, failure)};
  return Error{ErrorKind::kUnavailable, "webhook.test",
               fmt::format("nothing became of it within {} s: {} events wait for {}; does a server send them, or were "
                           "all started with --no-webhooks?",
                           kTestWait.count(), waiting, name)};
}

}  // namespace

Status add_webhook(const Context& context, const WebhookOptions& options) {
  TRY(const auto api, client_of(context));
  json::object request{{"name", options.name}, {"url", options.url}};
  if (!options.event_types.empty())
    request["event_types"] = json::array(options.event_types.begin(), options.event_types.end());
  if (!options.ca_file.empty()) {
    TRY(const auto ca, keystore::read_file(options.ca_file));
    request["ca"] = ca;
  }
  TRY(const auto answer, api.post("/api/v1/webhooks", json::serialize(request)));
  return print_secret(context, answer);
}

Status list_webhooks(const Context& context) {
  TRY(const auto api, client_of(context));
  TRY(const auto answer, api.get("/api/v1/webhooks"));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto* items, fields.required_array("items"));
  if (context.json)
    print_json(*items);
  else
    print_table(*items,
                {{"NAME", "name"},
                 {"STATE", "state"},
                 {"WAITING", "waiting"},
                 {"DROPPED", "dropped"},
                 {"LAST SUCCESS", "last_success_at"},
                 {"URL", "url"},
                 {"LAST FAILURE", "last_failure"}},
                "no webhooks");
  return {};
}

Status show_webhook(const Context& context, const std::string& name) {
  TRY(const auto path, path_of(kCollection, name));
  return show(context, path, kWebhookLines);
}

Status remove_webhook(const Context& context, const std::string& name) {
  TRY(const auto path, path_of(kCollection, name));
  return remove(context, path, name, fmt::format("the webhook {} is removed, with all that waited for it", name));
}

Status rotate_webhook_secret(const Context& context, const std::string& name) {
  TRY(const auto path, path_of(kCollection, name));
  TRY(const auto api, client_of(context));
  TRY(const auto answer, api.post(path + "/secret", "{}"));
  return print_secret(context, answer);
}

Status test_webhook(const Context& context, const std::string& name) {
  TRY(const auto path, path_of(kCollection, name));
  TRY(const auto api, client_of(context));
  TRY(const auto answer, api.post_repeatable(path + "/test", "{}"));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto event_id, fields.required_string("event_id"));
  TRY(const auto fate, wait_for_fate(api, path, std::string(event_id)));
  if (fate.waits) {
    TRY(auto failure, test_failure(api, path, name, fate));
    return failure;
  }
  if (context.json)
    print_json(answer);
  else
    fmt::print("the receiver of {} took it\n", name);
  return {};
}

}  // namespace warifu::cli
