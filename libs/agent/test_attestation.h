#pragma once

// A device that attests, and a server that is content, until a test makes it do otherwise.

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/attestation.h"
#include "agent/test_world.h"

namespace warifu::agent::test {

inline HttpReply problem(int status, std::string_view code) {
  return reply(status, std::string(R"({"title":"no","detail":"because","code":")").append(code).append("\"}"));
}

class MemoryLogs final : public MeasurementLogs {
 public:
  Result<std::optional<Bytes>> event_log() override {
    if (unreadable) return Error{ErrorKind::kUnavailable, "logs.read", "permission denied"};
    return event;
  }
  Result<std::optional<Bytes>> ima_list(std::uint64_t offset) override {
    offsets.push_back(offset);
    if (too_large) return Error{ErrorKind::kRefused, "logs.size", "too many to show at once"};
    return ima;
  }
  Result<std::optional<Bytes>> userspace_log() override { return userspace; }
  std::string boot_id() override { return "boot-1"; }
  std::optional<RecordedNullName> null_name() override { return recorded; }

  std::optional<Bytes> event = to_bytes(as_bytes("event log"));
  std::optional<Bytes> ima = Bytes{1, 2, 3};
  std::optional<Bytes> userspace = to_bytes(as_bytes("line\n"));
  std::vector<std::uint64_t> offsets;
  std::optional<RecordedNullName> recorded = RecordedNullName{"000b01", "initramfs"};
  bool unreadable = false;
  bool too_large = false;
};

class AttestationTest : public AgentTest {
 protected:
  AttestationTest() {
    answer("key",
           reply(200, R"({"id_object":"AQI=","encrypted_secret":"AwQ=","session":"opaque-1","expires_at":"x"})"));
    answer("activation", reply(200, R"({"ak_name":"00","token":"token-1","expires_at":"2033-01-01T00:00:00Z"})"));
    answer("nonce", nonce(0));
    answer("evidence", result("affirming"));
  }
  static HttpReply nonce(int offset) {
    return reply(200,
                 R"({"nonce":"CQkJ","expires_at":"x","registers":{"sha256":[0,10]},"event_log":{},"ima":{"offset":)" +
                     std::to_string(offset) + R"(,"entries":4}})");
  }
  static HttpReply result(std::string_view overall) {
    return reply(200, std::string(R"({"overall":")")
                          .append(overall)
                          .append(R"(","layers":{"identity":"affirming","firmware":"warning"},)")
                          .append(R"("tracking_id":"track-1","next_after_seconds":60})"));
  }
  void answer(const std::string& step, HttpReply with) { server_.instead[step] = std::move(with); }
  // These first, and then what answer() said.
  void answer_first(const std::string& step, std::deque<HttpReply> with) { server_.first[step] = std::move(with); }
  std::vector<const HttpRequest*> sent(std::string_view step) const {
    std::vector<const HttpRequest*> out;
    for (const auto& request : server_.requests)
      if (ScriptedServer::step_of(request) == step) out.push_back(&request);
    return out;
  }
  std::string refusal() {
    const auto attested = attestor_.attest();
    return attested ? "" : std::string(attested.error().code);
  }

  MemoryLogs logs_;
  Attestor attestor_{outside_, logs_};
};

}  // namespace warifu::agent::test
