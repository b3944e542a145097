#include "front/device/visits.h"

#include <fmt/format.h>

namespace warifu::front::device {

using verifier::DeviceKey;

Result<DeviceKey> device_of(const std::vector<std::string>& parameters) {
  auto scope = ScopeId::parse(parameters.at(0));
  if (!scope) return Error{ErrorKind::kNotFound, "enrollment.scope", to_string(scope.error())};
  auto registration = RegistrationId::parse(parameters.at(1));
  if (!registration) return Error{ErrorKind::kNotFound, "enrollment.unknown", to_string(registration.error())};
  return DeviceKey{*std::move(scope), *std::move(registration)};
}

std::string_view bearer_of(const net::HttpRequest& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto authorization = request.header("Authorization");
  if (!authorization || !authorization->starts_with(kScheme)) return {};
  return authorization->substr(kScheme.size());
}

Status check_body_size(const net::HttpRequest& request, std::size_t size_max) {
  if (request.body.size() <= size_max) return {};
  return invalid_input("http.body_too_large",
                       fmt::format("the body has at most {} bytes, this one has {}", size_max, request.body.size()));
}

Result<Answer> Visits::run(const Call& call, std::string_view stage, const Handler& handle) const {
  TRY(const auto device, device_of(call.parameters));
  // A stranger who comes without the device's token must not crowd out what others write into the diary.
  const bool has_token = desk_.credentials().check_token(device, bearer_of(call.request)).has_value();
  const NotedCall noted{call.tracking_id, call.request.peer_address, std::string(stage),
                        has_token ? dps::AttemptLog::Standing::kProven : dps::AttemptLog::Standing::kUnknown};
  auto answer = handle(call, device);
  if (!answer) {
    note(noted, device, answer.error());
    return answer;
  }
  if (auto* durable = std::get_if<Durable>(&*answer)) {
    durable->apply = [this, noted, device,
                      apply = std::move(durable->apply)](store::Transaction& transaction) -> Result<Decision> {
      auto decision = apply(transaction);
      if (!decision) note(noted, device, decision.error());
      return decision;
    };
  } else if (auto* slow = std::get_if<Slow>(&*answer)) {
    slow->work = [this, noted, device, work = std::move(slow->work)]() -> Result<net::HttpResponse> {
      auto response = work();
      if (!response) note(noted, device, response.error());
      return response;
    };
  }
  return answer;
}

void Visits::note(const NotedCall& call, const DeviceKey& device, const Error& error) const {
  const auto id = Uuid::parse(call.tracking_id);
  if (!id) return;
  attempts_.note({device.scope, device.registration, *id, clock_.now(), call.peer_address, call.stage,
                  std::string(error.code), to_operator_string(error)},
                 call.standing);
}

}  // namespace warifu::front::device
