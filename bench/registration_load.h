#pragma once

#include <list>
#include <string>
#include <vector>

#include "front/test_device.h"
#include "software_tpms.h"
#include "tls_peer.h"
#include "whole_server.h"

namespace warifu::bench {

// Devices with TPMs of their own that register over TLS, each on a connection that is new: what is sent and what is
// opened is this side's time, not the server's.
class RegistrationLoad {
 public:
  using Device = front::test::Device<sim::SoftwareTpm>;

  // Enrolls them too.
  RegistrationLoad(WholeServer& server, std::size_t devices, std::string_view name = "meter");

  // All register from the beginning, with requests in flight together: challenge, proof, result. True when each has got
  // its hub key out of its TPM; they are kept in hub_keys().
  bool register_all();
  // One of them, on a connection of its own. Several threads may do it, each with its own devices.
  bool register_one(std::size_t number) const;
  const std::vector<SecretBytes>& hub_keys() const { return hub_keys_; }
  const std::vector<Device>& devices() const { return devices_; }

  // The answer to one request on a connection of its own; the status is 0 if none came.
  net::HttpResponse ask(const net::HttpRequest& request) const;

 private:
  std::vector<net::HttpResponse> ask_all(std::list<TlsPeer>& peers, const std::vector<net::HttpRequest>& requests);

  WholeServer& server_;
  const std::vector<sim::SoftwareTpm> tpms_;
  std::vector<Device> devices_;
  std::vector<SecretBytes> hub_keys_;
  const SslContextPtr context_ = make_client_context(nullptr);
};

}  // namespace warifu::bench
