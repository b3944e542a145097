#include "front/http/dispatcher.h"

#include <spdlog/spdlog.h>

#include <fmt/format.h>

#include <memory>

namespace warifu::front {
namespace {

// Enough to recognise it: what strangers send must not fill the disk.
constexpr std::size_t kLoggedTargetMax = 256;

}  // namespace

void Dispatcher::handle(net::HttpRequest request, net::Respond respond) {
  const std::string tracking_id = Uuid::v7(clock_.now(), entropy_).text();
  auto answered = answer(request, tracking_id);
  if (!answered) return respond(refuse(answered.error(), tracking_id, request));
  if (auto* response = std::get_if<net::HttpResponse>(&*answered)) return respond(std::move(*response));
  submit(std::get<Durable>(*std::move(answered)), std::move(request), tracking_id, std::move(respond));
}

Result<Answer> Dispatcher::answer(const net::HttpRequest& request, const std::string& tracking_id) const {
  TRY(const auto target, net::parse_target(request.target));
  auto match = router_.match(request.method, target);
  if (match.route == nullptr) {
    if (match.allowed_methods.empty())
      return Error{ErrorKind::kNotFound, "http.route", "nothing is served under this path"};
    return Answer(method_not_allowed(match.allowed_methods, tracking_id, request));
  }
  Call call{request, target, tracking_id, std::move(match.parameters)};
  if (const auto permission = match.route->access.permission()) {
    TRY(call.principal, authorize(request, *permission));
  }
  TRY(auto answered, match.route->handle(call));
  // RFC 9110 §9.2.1: HEAD changes nothing, and these GETs do (a result is fetched, a key is shown: both are recorded).
  if (request.method == net::Method::kHead && std::holds_alternative<Durable>(answered))
    return Answer(method_not_allowed("GET", tracking_id, request));
  return answered;
}

net::HttpResponse Dispatcher::method_not_allowed(const std::string& allowed, const std::string& tracking_id,
                                                 const net::HttpRequest& request) const {
  net::HttpResponse response =
      refuse(invalid_input("http.method", fmt::format("this path takes {} only", allowed)), tracking_id, request);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

Result<operators::Principal> Dispatcher::authorize(const net::HttpRequest& request,
                                                   operators::Permission permission) const {
  std::optional<operators::Principal> principal;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(principal,
        authenticator_.authenticate(snapshot.operators(), {request.header("Authorization"), request.header("Host")}));
    return {};
  }));
  if (!principal->permissions.contains(permission))
    return Error{ErrorKind::kRefused, "permission.missing",
                 fmt::format("this needs the permission {}, which \"{}\" does not have",
                             operators::to_string(permission), principal->name.text())};
  return *std::move(principal);
}

net::HttpResponse Dispatcher::refuse(const Error& error, const std::string& tracking_id,
                                     const net::HttpRequest& request) const {
  log_refusal(error, tracking_id,
              fmt::format("{} {} {:?}", request.peer_address, net::to_string(request.method),
                          std::string_view(request.target).substr(0, kLoggedTargetMax)));
  return router_.error(error, tracking_id, request.target);
}

void Dispatcher::log_refusal(const Error& error, const std::string& tracking_id, const std::string& request) const {
  const bool is_ours = error.kind == ErrorKind::kInternal || error.kind == ErrorKind::kUnavailable;
  // Target and detail hold no secret, those travel in headers and bodies; but they hold the client's own words: quoted,
  // so that nobody writes lines of his own into the log.
  spdlog::log(is_ours ? spdlog::level::err : spdlog::level::info,
              "refused tracking_id={} request={} kind={} code={} detail={:?}", tracking_id, request,
              to_string(error.kind), error.code, to_string(error));
  metrics_.count_refusal(error);
}

net::HttpResponse Dispatcher::refuse(int, const Error& error) {
  const std::string tracking_id = Uuid::v7(clock_.now(), entropy_).text();
  log_refusal(error, tracking_id, "unread");
  return router_.error(error, tracking_id, /*target=*/{});
}

void Dispatcher::submit(Durable durable, net::HttpRequest request, std::string tracking_id,
                        net::Respond respond) const {
  struct Pending {
    Durable durable;
    net::HttpRequest request;
    std::string tracking_id;
    net::Respond respond;
    Decision decision{};
    bool is_decided = false;
  };
  auto pending = std::make_shared<Pending>(
      Pending{std::move(durable), std::move(request), std::move(tracking_id), std::move(respond)});
  store_.submit({
      [pending](store::Transaction& transaction) -> Status {
        pending->is_decided = false;
        TRY(pending->decision, pending->durable.apply(transaction));
        pending->is_decided = true;
        if (pending->durable.is_rehearsal) return Error{ErrorKind::kRefused, "store.rehearsal", "a dry run is undone"};
        return {};
      },
      [this, pending](const Status& done) {
        const bool is_rehearsed = pending->durable.is_rehearsal && pending->is_decided;
        if (!done && !is_rehearsed)
          return pending->respond(refuse(done.error(), pending->tracking_id, pending->request));
        if (const auto* refusal = std::get_if<Error>(&pending->decision))
          return pending->respond(refuse(*refusal, pending->tracking_id, pending->request));
        if (pending->durable.committed) pending->durable.committed();
        pending->respond(std::get<net::HttpResponse>(std::move(pending->decision)));
      },
  });
}

}  // namespace warifu::front
