#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tcb_protocol/codec.h"

// A message of each kind, as tests/vectors/tcb/make_vectors.py has it.
namespace warifu::tcb_protocol {

// `size` bytes that count up from `first`.
inline Bytes counting(std::uint8_t first, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

inline SecretBytes secret(std::string_view text) {
  return SecretBytes::copy_of(as_bytes(text));
}

struct Sample {
  std::string name;
  SecretBytes frame;
  // Reads a frame of this kind and writes what was read.
  std::function<Result<SecretBytes>(ByteView)> write_again;
};

inline Result<SecretBytes> write_request_again(ByteView frame) {
  TRY(const Request request, decode_request(frame));
  return std::visit([](const auto& message) { return encode_request(message); }, request);
}

template <class R>
Result<SecretBytes> write_answer_again(ByteView frame) {
  TRY(const auto answer, decode_answer<R>(frame));
  return encode_answer<R>(answer);
}

template <class R>
void add(std::vector<Sample>& samples, const std::string& name, const R& request, const typename R::Answer& answer) {
  samples.push_back({name + ".request", encode_request(request).value(), write_request_again});
  samples.push_back({name + ".answer", encode_answer<R>(answer), write_answer_again<R>});
}

inline TpmStatus::Answer sample_status() {
  return {.manufacturer = "IBM",
          .model = "SW   TPM",
          .firmware_version = 0x2019102300163636,
          .specification_revision = 138,
          .owner_auth_set = true,
          .endorsement_auth_set = false,
          .lockout_auth_set = true,
          .clear_disabled = false,
          .in_lockout = true,
          .orderly = false,
          .has_ek_certificate = true,
          .lockout_counter = 3,
          .max_tries = 32,
          .recovery_seconds = 600,
          .lockout_recovery_seconds = 86'400,
          .ek_name = counting(8, 34),
          .registration_id = "meter-1",
          .ek_public = counting(2, 316),
          .has_escrow = true,
          .escrow_delivered = false};
}

inline std::vector<Sample> samples() {
  std::vector<Sample> all;
  add<BeginServerCheck>(all, "begin_server_check", {}, {counting(0, 32)});
  add<CheckServer>(all, "check_server", {{counting(1, 5), {}, counting(11, 300)}}, {"dps.example.com", 600});
  add<Identity>(all, "identity", {},
                {"0ne00000001", "meter-1", counting(2, 316), counting(3, 280), "hub.example.com", "meter-1"});
  add<ActivateRegistration>(all, "activate_registration", {counting(4, 700)}, {});
  add<RegistrationToken>(all, "registration_token", {1'800'000'000},
                         {"SharedAccessSignature sr=a&sig=b&se=1800000000"});
  add<AcceptAssignment>(all, "accept_assignment", {"hub.example.com", "meter-1", counting(5, 700)}, {});
  add<HubToken>(all, "hub_token", {3600}, {"SharedAccessSignature sr=c", 1'800'003'600});
  add<Random>(all, "random", {16}, {SecretBytes(counting(6, 16))});
  add<Seal>(all, "seal", {secret("a secret"), {0, 7, 23}}, {counting(7, 200)});
  add<Unseal>(all, "unseal", {counting(7, 200)}, {secret("a secret")});
  add<TpmStatus>(all, "tpm_status", {}, sample_status());
  add<Own>(all, "own", {{counting(9, 400), counting(10, 500)}}, {});
  add<ReadEscrow>(all, "read_escrow", {}, {counting(11, 900), true});
  add<EscrowDelivered>(all, "escrow_delivered", {counting(12, 32)}, {});
  add<Clear>(all, "clear", {SecretBytes(counting(13, 32))}, {});
  add<ResetLockout>(all, "reset_lockout", {SecretBytes(counting(14, 32))}, {});
  add<EscrowToken>(all, "escrow_token", {600}, {"SharedAccessSignature sr=d", 1'800'000'600});
  add<AttestationKey>(all, "attestation_key", {}, {counting(2, 316), counting(15, 90)});
  add<ActivateAttestation>(all, "activate_attestation", {counting(16, 68), counting(17, 258)},
                           {SecretBytes(counting(18, 32))});
  add<Quote>(
      all, "quote", {counting(19, 48), {{}, {0, 7, 23}, {10}, {}}},
      {counting(20, 145), counting(21, 72), counting(22, 144), counting(23, 90), counting(24, 150), counting(25, 72)});
  add<LocalQuote>(all, "local_quote", {{{0}, {0, 7, 23}, {}, {10}}},
                  {counting(26, 32),
                   counting(15, 90),
                   {counting(20, 145), counting(21, 72), counting(22, 180), counting(23, 90), counting(24, 150),
                    counting(25, 72)}});
  add<EkCertificate>(all, "ek_certificate", {}, {counting(26, 900), {counting(27, 700), counting(28, 600)}});
  add<ProveKey>(all, "prove_key", {true, false, counting(29, 48)},
                {counting(30, 88), counting(31, 150), counting(32, 72), counting(33, 32)});
  add<AcceptCertificate>(all, "accept_certificate", {false, {counting(34, 500), counting(35, 600)}, 1'800'000'000}, {});
  add<ShowCertificate>(
      all, "show_certificate", {false},
      {{counting(36, 500), counting(37, 600)}, {counting(38, 400)}, 1'800'000'000, 1'790'000'000, true, false});
  add<SignHandshake>(all, "sign_handshake", {{counting(39, 200), counting(40, 90), counting(41, 300)}},
                     {counting(42, 71)});
  add<ExportKey>(all, "export_key", {}, {counting(43, 88), counting(44, 126), 0x81000001, {counting(45, 500)}});
  add<TrustBundle>(all, "trust_bundle", {}, {7, counting(29, 32), 1'800'000'000, 1'831'536'000, true, 6, 2});
  add<TrustedRoot>(all, "trusted_root", {1}, {counting(30, 500)});
  add<FollowTrustBundle>(all, "follow_trust_bundle", {70'000, 61'440, counting(31, 8560)}, {true, true, 8});
  add<ShowApplicationKey>(all, "show_application_key", {1}, {3, "mqtt", 7, true, 14, false});
  add<ImportApplicationKey>(all, "import_application_key", {"mqtt", 7, 14, counting(46, 700)}, {});
  add<AcknowledgeApplicationKey>(all, "acknowledge_application_key", {"mqtt", 7, counting(47, 48)}, {counting(48, 32)});
  add<ActivateApplicationKey>(all, "activate_application_key", {"mqtt", 7}, {});
  add<ForgetApplicationKey>(all, "forget_application_key", {"dlms-auth", 65'536}, {});
  add<ApplicationKeyHmac>(all, "application_key_hmac", {"mqtt", secret("a reading")},
                          {SecretBytes(counting(49, 32)), 7});
  add<CapApplicationKeys>(all, "cap_application_keys", {0, true}, {{12, 14}, {15}});
  return all;
}

}  // namespace warifu::tcb_protocol
