#include "front/http/idempotency.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "wire/json.h"

namespace warifu::front {
namespace {

namespace json = boost::json;

constexpr std::string_view kHeader = "Idempotency-Key";

Result<std::optional<std::string>> key_of(const net::HttpRequest& request) {
  const auto key = request.header(kHeader);
  if (!key) return std::optional<std::string>();
  const bool printable = std::ranges::all_of(*key, [](char c) { return c >= ' ' && c <= '~'; });
  if (key->empty() || key->size() > Idempotency::kKeySizeMax || !printable)
    return invalid_input("idempotency.key",
                         fmt::format("an Idempotency-Key has 1 to {} printable ASCII characters, this one has {} bytes",
                                     Idempotency::kKeySizeMax, key->size()),
                         std::string(kHeader));
  const auto count = std::ranges::count_if(
      request.headers, [&](const auto& field) { return net::find_header({field}, kHeader).has_value(); });
  if (count > 1) return invalid_input("idempotency.key", "a request has one Idempotency-Key", std::string(kHeader));
  return std::optional(std::string(*key));
}

// Neither a method nor a target holds a line feed.
std::string fingerprint_of(const net::HttpRequest& request) {
  return to_hex(
      crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(net::to_string(request.method)), as_bytes("\n"),
                                                      as_bytes(request.target), as_bytes("\n"), as_bytes(request.body)})
          .bytes());
}

std::string place_text(const operators::IdempotencyPlace& place) {
  return fmt::format("idempotency/{}/{}/{}/{}", place.scope.text(), place.token_id.text(), place.route, place.key);
}

Error in_progress() {
  return {ErrorKind::kConflict, "idempotency.in_progress",
          "a request with this Idempotency-Key is being worked on: ask again in a moment"};
}

}  // namespace

// That a key is in use, as long as it lives.
class Idempotency::Use {
 public:
  static std::shared_ptr<Use> begin(Idempotency& keys, std::string place) {
    const std::lock_guard lock(keys.mutex_);
    if (!keys.in_use_.insert(place).second) return nullptr;
    return std::make_shared<Use>(keys, std::move(place));
  }
  Use(Idempotency& keys, std::string place) : keys_(keys), place_(std::move(place)) {}
  ~Use() {
    const std::lock_guard lock(keys_.mutex_);
    keys_.in_use_.erase(place_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  Idempotency& keys_;
  const std::string place_;
};

struct Idempotency::Once {
  operators::IdempotencyPlace place;
  std::string fingerprint;
  Durable durable;
  std::shared_ptr<Use> use;
  bool replayed = false;
};

Result<Durable> Idempotency::once(const Call& call, const Route& route, Durable durable) {
  TRY(auto key, key_of(call.request));
  // The service API, which takes no such key, is for service keys.
  if (!key || durable.is_rehearsal || !call.principal->token_id) return durable;
  operators::IdempotencyPlace place{call.principal->scope, *call.principal->token_id,
                                    fmt::format("{} {}", net::to_string(route.method), route.pattern), *std::move(key)};
  auto use = Use::begin(*this, place_text(place));
  if (!use) return in_progress();
  const auto once =
      std::make_shared<Once>(Once{std::move(place), fingerprint_of(call.request), std::move(durable), std::move(use)});
  return Durable{
      [this, once](store::Transaction& transaction) -> Result<Decision> { return apply(*once, transaction); },
      [once] {
        if (!once->replayed && once->durable.committed) once->durable.committed();
      }};
}

Result<Decision> Idempotency::apply(Once& once, store::Transaction& transaction) const {
  TRY(const auto stored, transaction.operators().find_idempotent_answer(once.place));
  once.replayed = stored.has_value();
  if (stored) return open(once, *stored);
  TRY(auto decision, once.durable.apply(transaction));
  const auto* response = std::get_if<net::HttpResponse>(&decision);
  if (response == nullptr) return decision;
  const Status inserted =
      transaction.operators().insert_idempotent_answer({once.place, seal(once, *response), clock_.now()});
  // Another node was faster: its answer can be had when it is done.
  if (!inserted && inserted.error().code == "idempotency.exists") return in_progress();
  TRY_STATUS(inserted);
  return decision;
}

// The fingerprint is sealed too: a body may hold a key that a person chose, and its plain digest could be searched.
Bytes Idempotency::seal(const Once& once, const net::HttpResponse& response) const {
  json::array headers;
  for (const auto& [name, value] : response.headers)
    headers.push_back(json::array{name, value});
  std::string text = json::serialize(json::object{{"fingerprint", once.fingerprint},
                                                  {"status", response.status},
                                                  {"content_type", response.content_type},
                                                  {"headers", std::move(headers)},
                                                  {"body", response.body}});
  const SecretBytes secret{to_bytes(as_bytes(text))};
  wipe(text);
  return crypto::seal_envelope(envelope_key_, as_bytes(place_text(once.place)), secret.reveal(), entropy_);
}

Result<net::HttpResponse> Idempotency::open(const Once& once, ByteView sealed) const {
  const auto text = crypto::open_envelope(envelope_key_, as_bytes(place_text(once.place)), sealed);
  if (!text)
    return Error{ErrorKind::kInternal, "store.corrupt", to_string(text.error()), "idempotency_keys.sealed_answer"};
  TRY(const auto value, wire::parse_json(as_text(text->reveal()), {.max_bytes = text->size()}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY(const auto fingerprint, fields.required_string("fingerprint"));
  if (fingerprint != once.fingerprint)
    return invalid_input("idempotency.mismatch",
                         "this Idempotency-Key was used for a request with another target or body: a new request needs "
                         "a new key",
                         std::string(kHeader));
  net::HttpResponse response;
  TRY(const auto status, fields.required_uint("status"));
  response.status = static_cast<int>(status);
  TRY(response.content_type, fields.required_string("content_type"));
  TRY(response.body, fields.required_string("body"));
  TRY(const auto* headers, fields.required_array("headers"));
  for (const auto& header : *headers)
    response.headers.emplace_back(header.at(0).as_string(), header.at(1).as_string());
  response.headers.emplace_back("Idempotency-Replayed", "true");
  return response;
}

}  // namespace warifu::front
