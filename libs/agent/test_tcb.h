#pragma once

// A TCB that follows the protocol, until a test makes it do otherwise.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/test_clock.h"
#include "frames/channel.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent::test {

namespace protocol = tcb_protocol;

// What a TCB says of trust bundles: versions, and which of them it begins with.
class ScriptedTrust {
 public:
  Result<protocol::TrustBundle::Answer> run(protocol::TrustBundle) {
    protocol::TrustBundle::Answer answer{};
    answer.version = version;
    answer.at_least = std::max(version, at_least);
    answer.expires_at = 1'800'000'000;
    answer.is_expired = is_expired;
    answer.root_count = 2;
    return answer;
  }
  Result<protocol::TrustedRoot::Answer> run(protocol::TrustedRoot request) {
    return protocol::TrustedRoot::Answer{Bytes(8, request.index)};
  }
  Result<protocol::FollowTrustBundle::Answer> run(protocol::FollowTrustBundle request) {
    if (request.offset == 0) incoming_.clear();
    incoming_ += as_text(request.part);
    if (incoming_.size() < request.size) return protocol::FollowTrustBundle::Answer{false, false, version};
    return take(version_of(incoming_));
  }

  std::function<std::uint64_t(const std::string&)> version_of;
  std::uint64_t version = 0;
  std::uint64_t at_least = 0;
  std::vector<std::uint64_t> begins_with = {};
  bool is_expired = false;
  std::optional<std::string_view> refuses;  // whatever server comes, with this code
  std::function<void(std::uint64_t)> on_taken;
  std::vector<std::uint64_t> offered;

 private:
  Result<protocol::FollowTrustBundle::Answer> take(std::uint64_t given) {
    offered.push_back(given);
    const auto no = [](std::string_view code) { return Error{ErrorKind::kRefused, code, "the TCB says no"}; };
    if (version == 0 && std::ranges::find(begins_with, given) == begins_with.end()) return no("bundle.pinned-root");
    if (version != 0 && given < version) return no("bundle.rollback");
    if (version != 0 && given > version + 1) return no("bundle.gap");
    const bool is_new = given != version;
    version = given;
    if (is_new && on_taken) on_taken(given);
    return protocol::FollowTrustBundle::Answer{true, is_new, version};
  }
  std::string incoming_;
};

class ScriptedTcb final : public frames::Channel {
 public:
  Result<SecretBytes> exchange(ByteView frame) override {
    if (unreachable) return Error{ErrorKind::kUnavailable, "tcb.unreachable", "no TCB"};
    return protocol::answer(frame, [&]<class R>(R request) { return run(std::move(request)); });
  }

  bool unreachable = false;
  ScriptedTrust* trust = nullptr;  // without it: an older one
  bool server_ok = true;
  bool lockout_auth_set = false;
  bool activates = true;
  std::string assigned_hub, device_id;
  protocol::EkCertificate::Answer ek_certificate{Bytes{0x30, 1}, {}};  // empty: an older TCB
  std::optional<Error> ek_certificate_error;
  Bytes escrow;
  bool escrow_delivered = false;
  std::vector<std::string> calls;
  std::uint64_t token_expires_at = 0;
  bool checked = false;
  std::optional<Bytes> register_values;  // of a quote
  protocol::ShowCertificate::Answer ldevid{}, idevid{};
  int keys_made = 0;  // of LDevIDs
  std::deque<Error> accept_errors;
  std::optional<Error> show_error, sign_error;
  bool knows_certificates = true;  // false: an older TCB
  // Name and version to whether it is active.
  std::map<std::pair<std::string, std::uint32_t>, bool> application_keys;
  bool knows_application_keys = true;  // false: an older TCB
  bool keys_died = false;
  std::optional<Error> key_error;  // of what the TPM shall do with a key

 private:
  using Refusal = Error;
  static Refusal no(std::string_view code) { return {ErrorKind::kRefused, code, "the TCB says no"}; }

  // What is not written out below is not asked by the agent's library.
  template <class R>
  Result<typename R::Answer> run(R) {
    return no("tcb.denied");
  }
  Result<protocol::TrustBundle::Answer> run(protocol::TrustBundle request) {
    if (trust) return trust->run(request);
    return no("tcb_protocol.operation");
  }
  Result<protocol::TrustedRoot::Answer> run(protocol::TrustedRoot request) {
    if (trust) return trust->run(request);
    return no("tcb_protocol.operation");
  }
  Result<protocol::FollowTrustBundle::Answer> run(protocol::FollowTrustBundle request) {
    if (trust) return trust->run(std::move(request));
    return no("tcb_protocol.operation");
  }
  Result<protocol::BeginServerCheck::Answer> run(protocol::BeginServerCheck) {
    calls.emplace_back("begin");
    return protocol::BeginServerCheck::Answer{Bytes(32, 7)};
  }
  Result<protocol::CheckServer::Answer> run(protocol::CheckServer) {
    calls.emplace_back("check");
    if (!server_ok) return no("tcb.handshake.nonce");
    if (trust && trust->refuses) return no(*trust->refuses);
    checked = true;
    return protocol::CheckServer::Answer{"dps.example", 600};
  }
  Result<protocol::Identity::Answer> run(protocol::Identity) {
    calls.emplace_back("identity");
    if (!checked) return no("tcb.server.unverified");
    return protocol::Identity::Answer{"0ne1", "meter-1", Bytes{1, 2}, Bytes{3, 4}, assigned_hub, device_id};
  }
  Result<protocol::EkCertificate::Answer> run(protocol::EkCertificate) {
    calls.emplace_back("ek certificate");
    if (!checked) return no("tcb.server.unverified");
    if (ek_certificate_error) return *ek_certificate_error;
    if (ek_certificate.certificate.empty()) return no("tcb_protocol.operation");
    return ek_certificate;
  }
  Result<protocol::Done> run(protocol::ActivateRegistration request) {
    calls.emplace_back("activate");
    if (!activates || request.authentication_key != Bytes{1, 2, 3}) return no("tpm.activate");
    return protocol::Done{};
  }
  Result<protocol::RegistrationToken::Answer> run(protocol::RegistrationToken request) {
    calls.emplace_back("token");
    token_expires_at = request.expires_at;
    return protocol::RegistrationToken::Answer{"proof"};
  }
  Result<protocol::Done> run(protocol::AcceptAssignment request) {
    calls.emplace_back("accept");
    if (request.authentication_key != Bytes{4, 5, 6}) return no("tpm.activate");
    assigned_hub = request.assigned_hub;
    device_id = request.device_id;
    return protocol::Done{};
  }
  Result<protocol::EscrowToken::Answer> run(protocol::EscrowToken) {
    calls.emplace_back("escrow token");
    if (!checked) return no("tcb.server.unverified");
    if (escrow.empty()) return no("tcb.escrow.none");
    return protocol::EscrowToken::Answer{"escrow-proof", 1};
  }
  Result<protocol::AttestationKey::Answer> run(protocol::AttestationKey) {
    calls.emplace_back("attestation key");
    if (!checked) return no("tcb.server.unverified");
    return protocol::AttestationKey::Answer{Bytes{1, 2}, Bytes{5, 6}};
  }
  Result<protocol::ActivateAttestation::Answer> run(protocol::ActivateAttestation request) {
    calls.emplace_back("activate attestation");
    if (request.id_object != Bytes{1, 2} || request.encrypted_secret != Bytes{3, 4}) return no("tpm.activation");
    return protocol::ActivateAttestation::Answer{SecretBytes(Bytes{7, 8})};
  }
  Result<protocol::Quote::Answer> run(protocol::Quote request) {
    calls.emplace_back("quote");
    if (request.nonce != Bytes{9, 9, 9}) return no("tcb.test");
    const Bytes values = register_values.value_or(Bytes(32 * request.registers.sha256.size(), 0x11));
    return protocol::Quote::Answer{{10, 11}, {12, 13}, values, {14, 15}, {16, 17}, {18, 19}};
  }
  Result<protocol::ProveKey::Answer> run(protocol::ProveKey request) {
    calls.emplace_back(request.idevid ? "prove idevid" : request.anew ? "prove anew" : "prove");
    if (!checked) return no("tcb.server.unverified");
    if (request.nonce != Bytes{9, 9, 9}) return no("tcb.test");
    if (request.idevid) return protocol::ProveKey::Answer{{30}, {31}, {32}, {33}};
    if (request.anew || !std::exchange(ldevid.waiting, true)) ++keys_made;
    return protocol::ProveKey::Answer{{static_cast<std::uint8_t>(keys_made)}, {21}, {22}, {}};
  }
  Result<protocol::Done> run(protocol::AcceptCertificate request) {
    calls.emplace_back("accept certificate");
    if (!accept_errors.empty()) {
      const Error error = accept_errors.front();
      accept_errors.pop_front();
      return error;
    }
    auto& held = request.idevid ? idevid : ldevid;
    if (!request.idevid) held.previous = std::exchange(held.chain, {});
    held.chain = std::move(request.chain);
    held.renew_after = request.renew_after;
    held.waiting = false;
    return protocol::Done{};
  }
  Result<protocol::ShowCertificate::Answer> run(protocol::ShowCertificate request) {
    calls.emplace_back("show certificate");
    if (show_error) return *show_error;
    if (!checked) return no("tcb.server.unverified");
    if (!knows_certificates) return no("tcb_protocol.operation");
    auto& held = request.idevid ? idevid : ldevid;
    auto answer = held;
    held.died = false;
    return answer;
  }
  Result<protocol::ShowApplicationKey::Answer> run(protocol::ShowApplicationKey request) {
    if (!knows_application_keys) return no("tcb_protocol.operation");
    protocol::ShowApplicationKey::Answer answer{};
    answer.count = static_cast<std::uint8_t>(application_keys.size());
    answer.died = std::exchange(keys_died, false);
    if (request.index >= application_keys.size()) return answer;
    const auto& [key, active] = *std::next(application_keys.begin(), request.index);
    answer.name = key.first;
    answer.version = key.second;
    answer.active = active;
    return answer;
  }
  Result<protocol::Done> run(protocol::ImportApplicationKey request) {
    calls.push_back("import " + request.name + " " + std::to_string(request.version) + " " +
                    std::to_string(request.capped_by_pcr));
    if (!checked) return no("tcb.server.unverified");
    if (request.authentication_key != Bytes{1, 2, 3}) return no("tpm.activation");
    std::erase_if(application_keys, [&](const auto& one) { return one.first.first == request.name && !one.second; });
    application_keys[{request.name, request.version}] = false;
    return protocol::Done{};
  }
  Result<protocol::AcknowledgeApplicationKey::Answer> run(protocol::AcknowledgeApplicationKey request) {
    calls.push_back("acknowledge " + request.name + " " + std::to_string(request.version));
    if (key_error) return *key_error;
    if (request.nonce != Bytes{9, 9, 9}) return no("tcb.test");
    return protocol::AcknowledgeApplicationKey::Answer{{7, 7}};
  }
  Result<protocol::Done> run(protocol::ActivateApplicationKey request) {
    calls.push_back("activate " + request.name + " " + std::to_string(request.version));
    std::erase_if(application_keys, [&](const auto& one) {
      return one.first.first == request.name && one.first.second < request.version;
    });
    application_keys[{request.name, request.version}] = true;
    return protocol::Done{};
  }
  Result<protocol::Done> run(protocol::ForgetApplicationKey request) {
    calls.push_back("forget " + request.name + " " + std::to_string(request.version));
    application_keys.erase({request.name, request.version});
    return protocol::Done{};
  }
  Result<protocol::SignHandshake::Answer> run(protocol::SignHandshake) {
    calls.emplace_back("sign handshake");
    if (sign_error) return *sign_error;
    return protocol::SignHandshake::Answer{{1}};
  }
  Result<protocol::TpmStatus::Answer> run(protocol::TpmStatus) {
    calls.emplace_back("status");
    protocol::TpmStatus::Answer status{};
    status.manufacturer = "IBM";
    status.model = "test";
    status.ek_name = Bytes(34, 1);
    status.registration_id = "meter-1";
    status.ek_public = {1, 2};
    status.lockout_auth_set = lockout_auth_set;
    status.has_escrow = !escrow.empty();
    status.escrow_delivered = escrow_delivered;
    return status;
  }
  Result<protocol::Done> run(protocol::Own request) {
    calls.emplace_back("own");
    if (request.escrow_chain != std::vector<Bytes>{{9, 9}, {8}}) return no("tcb.test");
    lockout_auth_set = true;
    escrow = {42, 43};
    return protocol::Done{};
  }
  Result<protocol::ReadEscrow::Answer> run(protocol::ReadEscrow) {
    return protocol::ReadEscrow::Answer{escrow, escrow_delivered};
  }
  Result<protocol::Done> run(protocol::EscrowDelivered request) {
    calls.emplace_back("delivered");
    // `printf '*+' | sha256sum`: 42 and 43.
    if (to_hex(request.package_sha256) != "2341a9c4270f9019a09041df3884cae2426b73c9ee750d73ec0fbcb6c2250f45")
      return no("tcb.escrow.other");
    escrow_delivered = true;
    return protocol::Done{};
  }
};

}  // namespace warifu::agent::test
