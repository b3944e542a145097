#include "tcb/service.h"

namespace warifu::tcb {

namespace protocol = tcb_protocol;
using protocol::Done;

namespace {

Result<ApplicationKeys::Version> version_of(const std::string& name, std::uint32_t version) {
  TRY(auto label, Label::parse(name));
  return ApplicationKeys::Version{std::move(label), version};
}

}  // namespace

Result<protocol::ShowApplicationKey::Answer> Service::run(Caller, protocol::ShowApplicationKey request) {
  TRY(const auto shown, application_keys_.shown(request.index == 0));
  const auto& keys = shown.record.keys;
  protocol::ShowApplicationKey::Answer answer{};
  answer.count = static_cast<std::uint8_t>(keys.size());
  answer.died = shown.died;
  if (request.index >= keys.size()) return answer;
  const auto& key = keys[request.index];
  answer.name = key.name.text();
  answer.version = key.version;
  answer.active = key.is_active;
  answer.capped_by_pcr = key.capped_by;
  return answer;
}

Result<Done> Service::run(Caller, const protocol::ImportApplicationKey& request) {
  TRY(const auto version, version_of(request.name, request.version));
  TRY_STATUS(application_keys_.import(version, request.capped_by_pcr, request.authentication_key));
  return Done{};
}

Result<protocol::AcknowledgeApplicationKey::Answer> Service::run(Caller,
                                                                 const protocol::AcknowledgeApplicationKey& request) {
  TRY(const auto version, version_of(request.name, request.version));
  TRY(const auto registration, registration_id());
  TRY(const auto mac, application_keys_.acknowledge(version, registration, request.nonce));
  return protocol::AcknowledgeApplicationKey::Answer{to_bytes(mac.reveal())};
}

Result<Done> Service::run(Caller, const protocol::ActivateApplicationKey& request) {
  TRY(const auto version, version_of(request.name, request.version));
  TRY_STATUS(application_keys_.activate(version));
  return Done{};
}

Result<Done> Service::run(Caller, const protocol::ForgetApplicationKey& request) {
  TRY(const auto version, version_of(request.name, request.version));
  TRY_STATUS(application_keys_.forget(version));
  return Done{};
}

Result<protocol::ApplicationKeyHmac::Answer> Service::run(Caller, const protocol::ApplicationKeyHmac& request) {
  TRY(const auto name, Label::parse(request.name));
  TRY(auto mac, application_keys_.hmac(name, request.data.reveal()));
  return protocol::ApplicationKeyHmac::Answer{std::move(mac.mac), mac.version};
}

Result<protocol::CapApplicationKeys::Answer> Service::run(Caller, protocol::CapApplicationKeys request) {
  using UnlessPending = ApplicationKeys::UnlessPending;
  TRY(auto capped,
      application_keys_.cap(request.pcr, request.unless_pending ? UnlessPending::kYes : UnlessPending::kNo));
  return protocol::CapApplicationKeys::Answer{std::move(capped.pcrs), std::move(capped.left)};
}

}  // namespace warifu::tcb
