#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tcb/service.h"
#include "tcb/test_handshake.h"
#include "tcb/test_tpm.h"
#include "tpm_types/authentication_key.h"

// A device with its TCB in memory, and the server that it believes. The simulated parts are parameters, because only a
// *_test.cpp may include them.
namespace warifu::tcb {

template <class SoftwareTpm, class Clock, class Entropy>
struct TestDevice {
  TestDevice()
      : software(*SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a")),
        cleared(*SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "b")) {
    restart();
  }

  // What is in memory is gone; files and TPM stay.
  void restart() {
    power.restore();
    service = std::make_unique<Service>(Surroundings{tpm, files, clock, entropy, journal, kTestNow - 30 * kTestDay},
                                        organisation.trust(), names);
  }
  // Its code, or "" when it was done.
  template <class Request>
  std::string ask(Request request, Caller caller = Caller::kAgent) {
    const auto answer = service->handle(caller, std::move(request));
    return answer ? "" : std::string(answer.error().code);
  }
  ServerNonce begin(Caller caller = Caller::kAgent) {
    ServerNonce nonce{};
    std::ranges::copy(service->handle(caller, tcb_protocol::BeginServerCheck{})->nonce, nonce.begin());
    return nonce;
  }
  std::string verify_server(Caller caller = Caller::kAgent) {
    return ask(tcb_protocol::CheckServer{record_handshake(organisation, server, begin(caller))}, caller);
  }
  // An authenticationKey for this device, as its server or anybody else makes one.
  Bytes authentication_key(const SecretBytes& key) {
    return *tpm::make_authentication_key(software.ek(), software.srk(), key, entropy);
  }
  // Registered, assigned, and known by the server.
  void provision(const SecretBytes& key) {
    verify_server();
    ask(tcb_protocol::ActivateRegistration{authentication_key(SecretBytes(32))});
    ask(tcb_protocol::AcceptAssignment{"hub.example", "press-4", authentication_key(key)});
  }

  // Its TPM is owned; the package of lockoutAuth.
  Bytes own() {
    verify_server();
    const auto escrow = organisation.under_root(organisation.escrow_profile(), crypto::KeyKind::kEcP384);
    ask(tcb_protocol::Own{{escrow.certificate.to_der()}});
    return service->handle(Caller::kAdministrator, tcb_protocol::ReadEscrow{})->package;
  }

  DeviceNames names{*ScopeId::parse("0ne12345678"), *RegistrationId::parse("press:4.left")};
  SoftwareTpm software, cleared;
  TestPower power;
  TestFiles files{power};
  TestTpm<SoftwareTpm> tpm{software, cleared, power};
  TestJournal journal;
  Clock clock{kTestNow};
  Entropy entropy{7};
  TestOrganisation organisation;
  TestIdentity server = organisation.server();
  std::unique_ptr<Service> service;
};

}  // namespace warifu::tcb
