#include "whole_server.h"

#include <spdlog/spdlog.h>

#include "raw_storage.h"

namespace warifu::bench {
namespace {

// Far more than a processor can answer.
front::RequestLimits limits_of_a_bench() {
  front::RequestLimits limits;
  limits.address = {1'000'000, 1'000'000};
  limits.registration = {1'000'000, 1'000'000};
  return limits;
}

}  // namespace

class WholeServer::Forgiving final : public net::RequestHandler {
 public:
  explicit Forgiving(net::RequestHandler& inner) : inner_(inner) {}
  void handle(net::HttpRequest request, net::Respond respond) override {
    inner_.handle(std::move(request), [respond = std::move(respond)](net::HttpResponse response) {
      if (response.status >= 400) response.status = 200;
      respond(std::move(response));
    });
  }

 private:
  net::RequestHandler& inner_;
};

WholeServer::WholeServer(const std::filesystem::path& database, const TlsIdentity& identity, Sabotage sabotage) {
  spdlog::set_level(spdlog::level::err);  // what self-checks have refused is no news
  clock_.run([&] {
    store_ = must(store::SqliteStore::open({.path = database, .clock = system_clock_, .entropy = entropy_}));
  });
  net_ = std::make_unique<net::Server>(net::ServerOptions{.io_threads = 1, .observer = &door_metrics_});
  admission_ =
      std::make_unique<front::Admission>(limits_of_a_bench(), monotonic_clock_, entropy_, *net_, door_metrics_);
  server_ = std::make_unique<front::test::Server>(*store_, system_clock_, entropy_,
                                                  provisioning::RegistrarOptions{.hubs = {"hub.example"}},
                                                  front::DispatcherParts{.admission = admission_.get()});
  if (!has_scope()) front::test::must(server_->make_scope());
  devices_ = std::make_unique<Forgiving>(server_->devices);
  operators_ = std::make_unique<Forgiving>(server_->operators);

  const bool forgives = sabotage == Sabotage::kAcceptAll;
  const auto listen = [&](const char* name, bool asks_for_certificate, net::RequestHandler& handler) {
    const auto key = SecretBytes::copy_of(as_bytes(identity.key_pem));
    auto credentials = must(net::TlsCredentials::make(identity.chain_pem, key, system_clock_.now(),
                                                      {.request_client_certificate = asks_for_certificate}));
    return must(net_->listen({.name = name, .address = "127.0.0.1"}, std::move(credentials), handler)).port;
  };
  using Handler = net::RequestHandler;
  devices_port_ = listen("devices", true, forgives ? static_cast<Handler&>(*devices_) : server_->devices);
  operators_port_ = listen("operators", false, forgives ? static_cast<Handler&>(*operators_) : server_->operators);
  clock_.run([this] { net_->start(); });
}

WholeServer::~WholeServer() {
  net_->stop();
  store_->settle();
}

bool WholeServer::has_scope() {
  bool exists = false;
  front::test::must(store_->read([&](store::Snapshot& snapshot) -> Status {
    TRY(exists, snapshot.provisioning().scope_exists(front::test::scope_id()));
    return {};
  }));
  return exists;
}

Result<SecretBytes> WholeServer::stored_hub_key(const std::string& device) {
  SecretBytes key;
  TRY_STATUS(store_->write([&](store::Transaction& t) -> Status {
    TRY(const auto id, DeviceId::parse(device));
    TRY(auto keys, server_->device_desk.reveal_hub_keys(t.provisioning(), t.audit(),
                                                        {front::test::scope_id(), "operator:bench"}, id));
    key = std::move(keys.primary);
    return {};
  }));
  return key;
}

}  // namespace warifu::bench
