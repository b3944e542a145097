#include "registration_load.h"

#include <fmt/format.h>

#include "http_text.h"

namespace warifu::bench {

RegistrationLoad::RegistrationLoad(WholeServer& server, std::size_t devices, std::string_view name)
    : server_(server), tpms_(make_software_tpms(devices)) {
  for (const auto& tpm : tpms_) {
    const std::string id = fmt::format("{}-{}", name, devices_.size());
    devices_.emplace_back(server.parts(), server.clock(), tpm, id);
    front::test::must(server.parts().enroll(id, tpm.ek()));
  }
}

bool RegistrationLoad::register_all() {
  std::list<TlsPeer> peers;
  std::vector<net::HttpRequest> requests;
  for (const auto& device : devices_) {
    peers.emplace_back(server_.devices_port(), context_.get());
    requests.push_back(device.register_request());
  }
  if (!shake_hands(peers)) return false;
  const auto challenges = ask_all(peers, requests);
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    const auto key = devices_[i].open(challenges[i], "authenticationKey");
    if (challenges[i].status != 401 || !key) return false;
    tokens.push_back(devices_[i].sign(*key));
    requests[i] = devices_[i].register_request(tokens[i]);
  }
  const auto operations = ask_all(peers, requests);
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (operations[i].status != 202) return false;
    requests[i] = devices_[i].poll_request(front::test::member(operations[i], "operationId"), tokens[i]);
  }
  const auto results = ask_all(peers, requests);
  hub_keys_.clear();
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    auto key = devices_[i].open(results[i], "registrationState.tpm.authenticationKey");
    if (results[i].status != 200 || !key) return false;
    hub_keys_.push_back(*std::move(key));
  }
  return true;
}

bool RegistrationLoad::register_one(std::size_t number) const {
  const Device& device = devices_.at(number);
  TlsPeer peer(server_.devices_port(), context_.get());
  if (!peer.shake_hands()) return false;
  const auto ask = [&peer](const net::HttpRequest& request) {
    return read_response(peer.send(written(request)) ? peer.receive() : std::string());
  };
  const auto challenge_key = device.open(ask(device.register_request()), "authenticationKey");
  if (!challenge_key) return false;
  const std::string token = device.sign(*challenge_key);
  const auto operation = ask(device.register_request(token));
  if (operation.status != 202) return false;
  const auto result = ask(device.poll_request(front::test::member(operation, "operationId"), token));
  return device.open(result, "registrationState.tpm.authenticationKey").has_value();
}

net::HttpResponse RegistrationLoad::ask(const net::HttpRequest& request) const {
  TlsPeer peer(server_.devices_port(), context_.get());
  const bool is_sent = peer.shake_hands() && peer.send(written(request));
  return read_response(is_sent ? peer.receive() : std::string());
}

std::vector<net::HttpResponse> RegistrationLoad::ask_all(std::list<TlsPeer>& peers,
                                                         const std::vector<net::HttpRequest>& requests) {
  std::vector<std::string> texts;
  for (const auto& request : requests)
    texts.push_back(written(request));
  std::vector<net::HttpResponse> responses;
  for (const auto& answer : bench::ask_all(peers, texts))
    responses.push_back(read_response(answer));
  return responses;
}

}  // namespace warifu::bench
