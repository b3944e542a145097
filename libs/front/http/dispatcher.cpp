#include "front/http/dispatcher.h"

#include <spdlog/spdlog.h>

#include <fmt/format.h>

#include <charconv>
#include <memory>

namespace warifu::front {
namespace {

// Enough to recognise it: what strangers send must not fill the disk.
constexpr std::size_t kLoggedTargetMax = 256;
// A flood is in the metrics; the log has an example of it this often.
constexpr std::chrono::seconds kExampleLogInterval{1};

std::string written(const net::HttpRequest& request) {
  return fmt::format("{} {} {:?}", request.peer_address, net::to_string(request.method),
                     std::string_view(request.target).substr(0, kLoggedTargetMax));
}

void set_header(net::Headers& headers, std::string_view name, std::string value) {
  std::erase_if(headers, [&](const auto& field) { return field.first == name; });
  headers.emplace_back(name, std::move(value));
}

// Of a route that demands one.
Status check_permission(const operators::Principal& principal, const Route& route) {
  if (principal.permissions.contains(*route.access.permission())) return {};
  return Error{ErrorKind::kRefused, "permission.missing",
               fmt::format("this needs the permission {}, which \"{}\" does not have", route.access.text(),
                           principal.name.text())};
}

// What comes without a length is bounded by the listener, and refused by the route when it is here.
Status check_announced_size(const net::HttpRequest& request, const Route& route) {
  const auto text = request.header("Content-Length");
  std::size_t size = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), size).ec != std::errc()) return {};
  if (route.body_bytes_max == 0 || size <= route.body_bytes_max) return {};
  return invalid_input(
      "http.body_too_large",
      fmt::format("the body of this request has at most {} bytes, {} were announced", route.body_bytes_max, size));
}

}  // namespace

// One request, from its arrival to its answer.
struct Dispatcher::Visit {
  net::HttpRequest request;
  net::Respond respond;
  std::string tracking_id;
  Result<net::Target> target;
  Router::Match match = {};
  // On a route that demands a permission.
  std::optional<Result<operators::Principal>> principal = {};

  bool is_known() const { return principal && *principal; }
  // What names the device that it is about.
  std::string limited_id() const {
    std::string id;
    if (match.route == nullptr) return id;
    for (const std::size_t index : match.route->limited.id_parameters)
      id += '/' + match.parameters.at(index);
    return id;
  }
};

void Dispatcher::handle(net::HttpRequest request, net::Respond respond) {
  auto target = router_.parse(request.target);
  const auto visit = std::make_shared<Visit>(
      Visit{std::move(request), std::move(respond), Uuid::v7(clock_.now(), entropy_).text(), std::move(target)});
  look(*visit);
  if (parts_.admission == nullptr || visit->is_known()) return run(visit);
  admit(visit);
}

void Dispatcher::look(Visit& visit) const {
  if (!visit.target) return;
  visit.match = router_.match(visit.request.method, *visit.target);
  if (visit.match.route != nullptr && visit.match.route->access.permission())
    visit.principal = authenticate(visit.request);
}

void Dispatcher::admit(const std::shared_ptr<Visit>& visit) const {
  const net::HttpRequest& request = visit->request;
  const std::string id = visit->limited_id();
  const bool makes_challenge =
      visit->match.route != nullptr && visit->match.route->limited.makes_challenges && !request.header("Authorization");
  const auto refused =
      parts_.admission->admit({request.peer_address, id, makes_challenge}, [this, visit] { run(visit); });
  if (refused) visit->respond(throttled(*refused, *visit));
}

void Dispatcher::run(const std::shared_ptr<Visit>& visit) const {
  auto answered = answer(*visit);
  if (!answered) return visit->respond(refuse(answered.error(), *visit));
  if (auto* response = std::get_if<net::HttpResponse>(&*answered)) return visit->respond(std::move(*response));
  if (auto* slow = std::get_if<Slow>(&*answered)) return post(std::move(*slow), visit);
  submit(std::get<Durable>(*std::move(answered)), visit);
}

void Dispatcher::post(Slow slow, const std::shared_ptr<Visit>& visit) const {
  const bool is_apart = slow.is_for_anybody && parts_.workers_for_anybody != nullptr;
  Workers* workers = is_apart ? parts_.workers_for_anybody : parts_.workers;
  auto work = [this, visit, slow = std::move(slow)] {
    auto response = slow.work();
    visit->respond(response ? *std::move(response) : refuse(response.error(), *visit));
  };
  if (workers == nullptr) return work();
  if (workers->post(std::move(work))) return;
  visit->respond(
      refuse({ErrorKind::kThrottled, "server.busy", "the server has too much to do: try again later"}, *visit));
}

Result<Answer> Dispatcher::answer(Visit& visit) const {
  if (!visit.target) return visit.target.error();
  if (visit.match.route == nullptr) {
    if (visit.match.allowed_methods.empty())
      return Error{ErrorKind::kNotFound, "http.route", "nothing is served under this path"};
    return Answer(method_not_allowed(visit.match.allowed_methods, visit));
  }
  const Route& route = *visit.match.route;
  const auto& shown = visit.request.peer_chain;
  if (parts_.shown_certificates != nullptr && shown != nullptr && !shown->empty())
    TRY_STATUS(parts_.shown_certificates->check(shown->front(), route.passes_over_lapsed_certificates));
  Call call{visit.request, *visit.target, visit.tracking_id, std::move(visit.match.parameters)};
  if (visit.principal) {
    TRY(call.principal, std::move(*visit.principal));
    TRY_STATUS(check_permission(*call.principal, route));
  }
  TRY(auto answered, route.handle(call));
  if (std::holds_alternative<net::HttpResponse>(answered)) return answered;
  // RFC 9110 §9.2.1: HEAD changes nothing, and these GETs do (a result is fetched, a key is shown: both are recorded).
  if (visit.request.method == net::Method::kHead) return Answer(method_not_allowed("GET", visit));
  auto* durable = std::get_if<Durable>(&answered);
  if (durable != nullptr && parts_.idempotency != nullptr && route.takes_idempotency_key) {
    TRY(auto once, parts_.idempotency->once(call, route, std::move(*durable)));
    return Answer(std::move(once));
  }
  return answered;
}

net::HttpResponse Dispatcher::method_not_allowed(const std::string& allowed, const Visit& visit) const {
  net::HttpResponse response =
      refuse(invalid_input("http.method", fmt::format("this path takes {} only", allowed)), visit);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

Result<operators::Principal> Dispatcher::authenticate(const net::HttpRequest& request) const {
  const operators::Credentials credentials{request.header("Authorization"), request.header("Host")};
  const auto version = store_.operators_version();  // before the look
  auto principal = version && credentials.authorization
                       ? known_tokens_.find(*credentials.authorization, *version, clock_.now())
                       : std::nullopt;
  if (principal) return *std::move(principal);
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(principal, authenticator_.authenticate(snapshot.operators(), credentials));
    return {};
  }));
  if (version) known_tokens_.keep(*credentials.authorization, *version, *principal, clock_.now());
  return *std::move(principal);
}

net::HttpResponse Dispatcher::throttled(const Admission::Refused& refused, const Visit& visit) const {
  const Error error =
      refused.by == LimitedBy::kAddress
          ? Error{ErrorKind::kThrottled, "limit.address", "too many requests came from this address"}
          : Error{ErrorKind::kThrottled, "limit.registration", "too many requests came for this registration ID"};
  log_example(error, visit.tracking_id, visit.request);
  metrics_.count_refusal(error);
  auto response = router_.error(error, visit.tracking_id, visit.request.target);
  set_header(response.headers, "Retry-After", std::to_string(refused.retry_after.count()));
  return response;
}

net::HttpResponse Dispatcher::refuse(const Error& error, const Visit& visit) const {
  log_refusal(error, visit.tracking_id, written(visit.request));
  metrics_.count_refusal(error);
  return router_.error(error, visit.tracking_id, visit.request.target);
}

void Dispatcher::log_refusal(const Error& error, const std::string& tracking_id, const std::string& request) const {
  const bool is_ours = error.kind == ErrorKind::kInternal || error.kind == ErrorKind::kUnavailable;
  // Target and detail hold no secret, those travel in headers and bodies; but they hold the client's own words: quoted,
  // so that nobody writes lines of his own into the log.
  spdlog::log(is_ours ? spdlog::level::err : spdlog::level::info,
              "refused tracking_id={} request={} kind={} code={} detail={:?}", tracking_id, request,
              to_string(error.kind), error.code, to_string(error));
}

void Dispatcher::log_example(const Error& error, const std::string& tracking_id,
                             const net::HttpRequest& request) const {
  const Timestamp now = clock_.now();
  Timestamp last = example_logged_at_.load();
  const bool is_time = last == Timestamp::min() || now < last || now - last >= kExampleLogInterval;
  if (is_time && example_logged_at_.compare_exchange_strong(last, now))
    log_refusal(error, tracking_id, written(request));
}

// Nobody waits for a place here: what is refused costs its sender the connection, and a handshake for the next one.
std::optional<net::HttpResponse> Dispatcher::refuse_body(const net::HttpRequest& request) {
  const Status allowed = may_send_large_body(request);
  if (allowed) return std::nullopt;
  const std::string tracking_id = Uuid::v7(clock_.now(), entropy_).text();
  log_example(allowed.error(), tracking_id, request);
  metrics_.count_refusal(allowed.error());
  return router_.error(allowed.error(), tracking_id, request.target);
}

Status Dispatcher::may_send_large_body(const net::HttpRequest& request) const {
  TRY(const auto target, router_.parse(request.target));
  const auto match = router_.match(request.method, target);
  if (match.route == nullptr)
    return Error{ErrorKind::kNotFound, "http.route", "nothing is served under this path with this method"};
  const auto permission = match.route->access.permission();
  if (!permission) {
    if (match.route->may_send_large_body) return match.route->may_send_large_body(request, match.parameters);
    return invalid_input("http.body_too_large", "a body of this size, or of unknown size, needs a credential");
  }
  TRY(const auto principal, authenticate(request));
  TRY_STATUS(check_permission(principal, *match.route));
  return check_announced_size(request, *match.route);
}

net::HttpResponse Dispatcher::refuse(int, const Error& error) {
  const std::string tracking_id = Uuid::v7(clock_.now(), entropy_).text();
  log_refusal(error, tracking_id, "unread");
  metrics_.count_refusal(error);
  return router_.error(error, tracking_id, /*target=*/{});
}

void Dispatcher::submit(Durable durable, const std::shared_ptr<Visit>& visit) const {
  struct Pending {
    std::shared_ptr<Visit> visit;
    Durable durable;
    Decision decision{};
    bool is_decided = false;
  };
  auto pending = std::make_shared<Pending>(Pending{visit, std::move(durable)});
  store_.submit({
      [pending](store::Transaction& transaction) -> Status {
        pending->is_decided = false;
        TRY(pending->decision, pending->durable.apply(transaction));
        pending->is_decided = true;
        if (pending->durable.is_rehearsal) return Error{ErrorKind::kRefused, "store.rehearsal", "a dry run is undone"};
        return {};
      },
      [this, pending](const Status& done) {
        Visit& asked = *pending->visit;
        const bool is_rehearsed = pending->durable.is_rehearsal && pending->is_decided;
        const auto* refusal = std::get_if<Error>(&pending->decision);
        if (done && refusal == nullptr && pending->durable.committed) pending->durable.committed();
        // Before the answer: what the change held (a key of Idempotency) is free when the client asks again.
        pending->durable = {};
        if (!done && !is_rehearsed) return asked.respond(refuse(done.error(), asked));
        if (refusal != nullptr) return asked.respond(refuse(*refusal, asked));
        asked.respond(std::get<net::HttpResponse>(std::move(pending->decision)));
      },
  });
}

}  // namespace warifu::front
