#pragma once

#include <list>
#include <string>
#include <vector>

#include "http_text.h"
#include "sim/software_tpm.h"
#include "tls_peer.h"
#include "verifier/test_attester.h"
#include "whole_server.h"

namespace warifu::bench {

// Devices that attest over TLS, each on a connection that is kept, with an AK that is bound to its EK. Under the policy
// every file that they run is known.
class AttestationLoad {
 public:
  static constexpr std::size_t kKnownFiles = 10'000;
  static constexpr std::size_t kFilesEachTime = 20;

  // Enrolls them and binds their keys.
  AttestationLoad(WholeServer& server, std::size_t devices);

  // Each runs kFilesEachTime files, asks for a nonce, and answers it. True when each of them is as good as before.
  bool attest_all();

  struct Attesting {
    std::string id;
    verifier::test::Attester attester = verifier::test::Attester();
    std::string token = {};
    std::size_t files = 0;  // that it ran
  };
  const std::vector<Attesting>& devices() const { return devices_; }
  // The first device's answer to a nonce of its own, with kFilesEachTime files that the server does not know of; not
  // sent.
  verifier::Submission unsent();

  // Evidence that is wrong, each of the first device: refused with this status.
  int status_of_another_nonce();
  int status_of_a_signature_that_is_spoilt();
  // A file that nobody knows: what the runtime layer becomes. The device boots after that.
  std::string runtime_of_an_unknown_file();

 private:
  void put_policy();
  void bind(Attesting& device, const sim::SoftwareTpm& tpm);
  void run_files(Attesting& device) const;
  net::HttpRequest request(const Attesting& device, std::string_view step, std::string body) const;
  std::vector<net::HttpResponse> ask_all(std::string_view step, const std::vector<std::string>& bodies);
  net::HttpResponse ask_first(std::string_view step, const std::string& body);
  // The first device's, with a nonce that was asked for.
  verifier::Submission answer_of_first();

  WholeServer& server_;
  const SslContextPtr context_ = make_client_context(nullptr);
  std::vector<Attesting> devices_;
  std::list<TlsPeer> peers_;  // as many
};

}  // namespace warifu::bench
