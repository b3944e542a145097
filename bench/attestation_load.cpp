#include "attestation_load.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "measured_boot/registers_json.h"
#include "software_tpms.h"

namespace warifu::bench {
namespace {

namespace json = boost::json;

std::string path_of(std::size_t number) {
  return fmt::format("/usr/lib/x86_64-linux-gnu/library-{:05}.so", number % AttestationLoad::kKnownFiles);
}

// Every file that a device runs is known by its digest.
std::string policy() {
  std::string files;
  for (std::size_t i = 0; i < AttestationLoad::kKnownFiles; ++i) {
    const std::string path = path_of(i);
    files += fmt::format(R"({}{{"path":"{}","digests":["sha256:{}"]}})", i == 0 ? "" : ",", path,
                         to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(path)}).bytes()));
  }
  return fmt::format(
      R"({{"format":"warifu.evidence-policy.v1","registers":{{"sha256":[0,4,8,10]}},"ima":{{"files":[{},)"
      R"({{"path":"/usr/bin/true","digests":["sha256:{}"]}}]}}}})",
      files,
      to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(std::string_view("/usr/bin/true"))}).bytes()));
}

std::string evidence_of(const verifier::Submission& s) {
  json::object log{{"sha256", to_hex(s.event_log_sha256)}};
  if (s.event_log) log["content"] = to_base64(*s.event_log);
  return json::serialize(json::object{{"nonce", to_base64(s.nonce)},
                                      {"quote", to_base64(s.quote)},
                                      {"signature", to_base64(s.signature)},
                                      {"registers", measured_boot::to_json(s.registers)},
                                      {"boot_id", s.boot_id},
                                      {"event_log", std::move(log)},
                                      {"ima", {{"offset", s.ima->offset}, {"content", to_base64(s.ima->content)}}},
                                      {"null_primary",
                                       {{"public", to_base64(s.null_primary->public_area)},
                                        {"attest", to_base64(s.null_primary->attest)},
                                        {"signature", to_base64(s.null_primary->signature)}}}});
}

// What the device answers to a nonce.
verifier::Submission answer_to(AttestationLoad::Attesting& device, const net::HttpResponse& nonce) {
  must(nonce.status == 200, "a device was given no nonce");
  const auto told = json::parse(nonce.body).as_object();
  const auto offset = told.at("ima").at("offset").to_number<std::uint64_t>();
  const bool is_known = told.at("event_log").as_object().contains("known_sha256");
  return device.attester.submission(must(from_base64(front::test::member(nonce, "nonce"))), offset, !is_known);
}

std::string body_for_nonce(const AttestationLoad::Attesting& device) {
  return fmt::format(R"({{"boot_id":"{}"}})", device.attester.boot_id);
}

bool is_good(const net::HttpResponse& answer) {
  return answer.status == 200 && front::test::member(answer, "layers.identity") == "affirming" &&
         front::test::member(answer, "layers.runtime") == "affirming" &&
         front::test::member(answer, "layers.freshness") == "affirming";
}

}  // namespace

AttestationLoad::AttestationLoad(WholeServer& server, std::size_t devices) : server_(server) {
  put_policy();
  const auto tpms = make_software_tpms(devices);
  for (const auto& tpm : tpms) {
    auto& device = devices_.emplace_back(Attesting{.id = fmt::format("gateway-{}", devices_.size())});
    front::test::must(server.parts().enroll(device.id, tpm.ek()));
    peers_.emplace_back(server.devices_port(), context_.get());
  }
  must(shake_hands(peers_), "a handshake failed");
  for (std::size_t i = 0; i < devices; ++i)
    bind(devices_[i], tpms[i]);
}

void AttestationLoad::put_policy() {
  front::test::must(server_.store().write([&](store::Transaction& t) -> Status {
    TRY_STATUS(server_.parts().policies.put(t.verifier(), t.audit(), {front::test::scope_id(), "operator:bench"},
                                            {.target = "default", .document = policy()}, std::nullopt));
    return {};
  }));
}

void AttestationLoad::bind(Attesting& device, const sim::SoftwareTpm& tpm) {
  TlsPeer peer(server_.devices_port(), context_.get());
  must(peer.shake_hands(), "a handshake failed");
  const auto ask = [&](std::string_view step, std::string body) {
    return read_response(peer.send(written(request(device, step, std::move(body)))) ? peer.receive() : "");
  };
  const auto& ak = device.attester.ak;
  const auto challenge = ask("key", fmt::format(R"({{"ek_public":"{}","ak_public":"{}"}})", to_base64(tpm.ek().tpm2b()),
                                                to_base64(wire::Writer().sized16(ak.tpmt()).take())));
  const auto part = [&](std::string_view name) {
    return must(from_base64(front::test::member(challenge, std::string(name))));
  };
  const auto secret = must(tpm.activate_credential(
      ByteView(part("id_object")).subspan(2), ByteView(part("encrypted_secret")).subspan(2), ak.ak().identity()->name));
  const auto bound =
      ask("activation", fmt::format(R"({{"session":"{}","secret":"{}"}})", front::test::member(challenge, "session"),
                                    to_base64(secret.reveal())));
  must(bound.status == 200, "a key was not bound");
  device.token = front::test::member(bound, "token");
}

void AttestationLoad::run_files(Attesting& device) const {
  for (std::size_t i = 0; i + 1 < kFilesEachTime; ++i) {
    const std::string path = path_of(device.files++);
    device.attester.list.add_file(path, path);
  }
  device.attester.run(path_of(device.files++));
}

net::HttpRequest AttestationLoad::request(const Attesting& device, std::string_view step, std::string body) const {
  net::HttpRequest request;
  request.method = net::Method::kPost;
  request.target =
      fmt::format("/api/v1/device/{}/registrations/{}/attestation/{}", front::test::kScope, device.id, step);
  request.headers = {{"Host", "bench"}, {"Content-Type", "application/json"}};
  if (!device.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + device.token);
  request.body = std::move(body);
  return request;
}

std::vector<net::HttpResponse> AttestationLoad::ask_all(std::string_view step, const std::vector<std::string>& bodies) {
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < devices_.size(); ++i)
    requests.push_back(written(request(devices_[i], step, bodies[i])));
  std::vector<net::HttpResponse> answers;
  for (const auto& answer : bench::ask_all(peers_, requests))
    answers.push_back(read_response(answer));
  return answers;
}

bool AttestationLoad::attest_all() {
  std::vector<std::string> bodies;
  for (auto& device : devices_) {
    run_files(device);
    bodies.push_back(body_for_nonce(device));
  }
  const auto nonces = ask_all("nonce", bodies);
  for (std::size_t i = 0; i < devices_.size(); ++i)
    bodies[i] = evidence_of(answer_to(devices_[i], nonces[i]));
  return std::ranges::all_of(ask_all("evidence", bodies), is_good);
}

net::HttpResponse AttestationLoad::ask_first(std::string_view step, const std::string& body) {
  TlsPeer& peer = peers_.front();
  return read_response(peer.send(written(request(devices_.front(), step, body))) ? peer.receive() : "");
}

verifier::Submission AttestationLoad::answer_of_first() {
  auto& device = devices_.front();
  return answer_to(device, ask_first("nonce", body_for_nonce(device)));
}

verifier::Submission AttestationLoad::unsent() {
  auto& device = devices_.front();
  const auto nonce = ask_first("nonce", body_for_nonce(device));
  const auto known = front::test::member(nonce, "ima.offset");
  if (known == std::to_string(device.attester.list.bytes().size())) run_files(device);
  return answer_to(device, nonce);
}

int AttestationLoad::status_of_another_nonce() {
  const auto before = answer_of_first();
  auto answer = answer_of_first();
  answer.nonce = before.nonce;
  return ask_first("evidence", evidence_of(answer)).status;
}

int AttestationLoad::status_of_a_signature_that_is_spoilt() {
  auto answer = answer_of_first();
  answer.signature.back() ^= 1;
  return ask_first("evidence", evidence_of(answer)).status;
}

std::string AttestationLoad::runtime_of_an_unknown_file() {
  auto& attester = devices_.front().attester;
  attester.run("/tmp/unknown");
  const auto answer = ask_first("evidence", evidence_of(answer_of_first()));
  attester.boot();
  return front::test::member(answer, "layers.runtime");
}

}  // namespace warifu::bench
