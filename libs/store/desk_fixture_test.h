#pragma once

#include <string>
#include <utility>

#include "provisioning/device_desk.h"
#include "provisioning/group_desk.h"
#include "provisioning/sealed_keys.h"
#include "provisioning/shared_keys.h"
#include "store/conformance_fixture_test.h"

namespace warifu::store {

// The desks of operators on a real database. Each call is one transaction without another audit entry than its own: a
// desk that changed something and told nobody would be refused ("store.unaudited").
class DeskTest : public ConformanceTest {
 protected:
  template <class Apply>
  auto ask(Apply apply) {
    using Answer = std::invoke_result_t<Apply, provisioning::Records&, audit::Trail&>;
    std::optional<Answer> answer;
    world_.clock.advance(std::chrono::seconds(1));
    const Status written = world_.store->write([&](Transaction& t) -> Status {
      answer.emplace(apply(t.provisioning(), t.audit()));
      if (!*answer) return answer->error();
      return {};
    });
    if (!written) answer.emplace(tl::unexpected(written.error()));
    return *std::move(answer);
  }
  // Its code, or "" when it was done.
  template <class Answer>
  static std::string code(const Answer& answer) {
    return answer ? "" : std::string(answer.error().code);
  }
  // Whether that left an entry in the audit log.
  template <class Apply>
  bool is_audited(Apply apply) {
    const auto before = world_.store->latest_audit_at().value();
    apply();
    return world_.store->latest_audit_at().value() != before;
  }

  auto enrollment(const RegistrationId& id) {
    return found([&](Snapshot& s) { return s.provisioning().find_enrollment(here_, id); });
  }
  auto device(const RegistrationId& id) {
    return found([&](Snapshot& s) { return s.provisioning().find_device_of(here_, id); });
  }
  void store_device(const provisioning::Device& device) {
    ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_device(device); }));
  }
  // A device that came under this enrollment, with a key for its hub.
  provisioning::Device came(const RegistrationId& id, const Uuid& enrollment_id, const std::string& device_id) {
    auto device = sample::device(1, 1, here_);
    device.registration_id = id;
    device.device_id = DeviceId::parse(device_id).value();
    device.enrollment_id = enrollment_id;
    device.sealed_hub_key =
        provisioning::seal_hub_key(envelope_key_, here_, device.device_id, hub_key_, world_.entropy);
    return device;
  }

  // A TPM2B_PUBLIC of an RSA-2048 EK (TCG EK Credential Profile, template L-1).
  static tpm::EkPublic ek(std::uint8_t number) {
    Bytes bytes = {0x01, 0x3A, 0x00, 0x01, 0x00, 0x0B, 0x00, 0x03, 0x00, 0xB2, 0x00, 0x20};
    bytes.insert(bytes.end(), 32, 0x83);
    for (const int byte :
         {0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00})
      bytes.push_back(static_cast<std::uint8_t>(byte));
    bytes.insert(bytes.end(), 256, 0xC5);
    bytes[bytes.size() - 100] = number;
    return tpm::EkPublic::from_tpm2b(bytes).value();
  }
  static Bytes name_of(const tpm::EkPublic& ek) {
    const auto name = ek.name();
    return to_bytes(name.bytes());
  }

  const SecretBytes envelope_key_ = SecretBytes::random(world_.entropy, 32);
  const SecretBytes hub_key_ = SecretBytes::random(world_.entropy, 32);
  const provisioning::Requester who_{here_, "operator:alice/1"};
  const provisioning::EnrollmentDesk enrollments_{world_.clock, world_.entropy, envelope_key_.clone()};
  const provisioning::GroupDesk groups_{world_.clock, world_.entropy, envelope_key_.clone()};
  const provisioning::DeviceDesk devices_{world_.clock, envelope_key_.clone()};
  const RegistrationId meter_ = RegistrationId::parse("meter-1").value();
};

inline constexpr provisioning::Precondition kCreate{provisioning::Precondition::Existing::kAbsent};
inline constexpr provisioning::Precondition kUpdate{provisioning::Precondition::Existing::kPresent};
inline constexpr provisioning::Precondition kApply{provisioning::Precondition::Existing::kEither};

}  // namespace warifu::store
