#include "warifu/api_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "crypto/system_entropy.h"
#include "http_client/header_lines.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

constexpr long kConnectTimeoutSeconds = 10;
constexpr long kTimeoutSeconds = 60;
// A page of the largest enrollments: 500 of what a request may have, 128 KiB.
constexpr std::size_t kAnswerSizeMax = 64 << 20;

// Nobody meets it by chance.
constexpr std::size_t kIdempotencyKeySize = 16;
constexpr std::chrono::milliseconds kRetryDelay{500};
constexpr int kInProgressTries = 10;

struct Answer {
  long status = 0;
  std::string body;
};

std::size_t append(char* data, std::size_t size, std::size_t count, void* target) {
  auto& body = *static_cast<std::string*>(target);
  if (body.size() + size * count > kAnswerSizeMax) return 0;
  body.append(data, size * count);
  return size * count;
}

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

bool is_broken_connection(CURLcode code) {
  return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
         code == CURLE_PARTIAL_FILE;
}

struct Request {
  const char* method = "GET";
  std::string path;
  std::string body = {};
  std::string more_header = {};
};

void set_request(CURL* curl, const Request& request, const std::string& url, const http_client::HeaderLines& headers) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  if (request.body.empty()) return;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
}

void set_trust(CURL* curl, const ApiEndpoint& endpoint) {
  // libcurl does not write to it.
  curl_blob ca{const_cast<char*>(endpoint.ca_pem.data()), endpoint.ca_pem.size(), CURL_BLOB_NOCOPY};
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
  // Debian's libcurl would believe the machine's authorities too: their folder is built into it.
  curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
}

void set_answer(CURL* curl, Answer& answer) {
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
}

Error error_of(CURLcode code, const std::string& server) {
  const char* reason = curl_easy_strerror(code);
  if (code == CURLE_PEER_FAILED_VERIFICATION)
    return {ErrorKind::kRefused, "server.identity",
            fmt::format("{} did not prove itself: {}; is --ca this server's trust/root.pem?", server, reason)};
  if (is_broken_connection(code))
    return {ErrorKind::kUnavailable, "server.connection_lost",
            fmt::format("the connection to {} broke before the answer came: {}", server, reason)};
  return {ErrorKind::kUnavailable, "server.unreachable", fmt::format("no answer from {}: {}", server, reason)};
}

bool is_lost(const Result<Answer>& answer) {
  return !answer && answer.error().code == "server.connection_lost";
}

ErrorKind kind_of(long status) {
  switch (status) {
    case 400:
    case 405:
    case 413:
    case 422:
      return ErrorKind::kInvalidInput;
    case 401:
      return ErrorKind::kUnauthenticated;
    case 403:
      return ErrorKind::kRefused;
    case 404:
      return ErrorKind::kNotFound;
    case 409:
      return ErrorKind::kConflict;
    case 429:
      return ErrorKind::kThrottled;
  }
  return ErrorKind::kUnavailable;
}

Error problem_of(const Answer& answer) {
  auto fallback =
      Error{kind_of(answer.status), "server.answer", fmt::format("the server answered with status {}", answer.status)};
  const auto json = wire::parse_json(answer.body);
  if (!json) return fallback;
  const auto fields = wire::JsonFields::of(*json);
  if (!fields) return fallback;
  const auto detail = fields->optional_string("detail");
  const auto code = fields->optional_string("code");
  const auto tracking_id = fields->optional_string("tracking_id");
  if (!detail || !*detail) return fallback;
  std::string message = **detail;
  if (code && *code && tracking_id && *tracking_id)
    message += fmt::format(" (code {}, tracking id {})", **code, **tracking_id);
  return {kind_of(answer.status), "server.refused", std::move(message)};
}

// The first try may still be at work when the second one comes.
bool is_in_progress(const Answer& answer) {
  return answer.status == 409 && answer.body.find("\"idempotency.in_progress\"") != std::string::npos;
}

Result<boost::json::value> value_of(const Answer& answer) {
  if (answer.status < 200 || answer.status > 299) return problem_of(answer);
  if (answer.body.empty()) return boost::json::value();
  return wire::parse_json(answer.body, {.max_bytes = kAnswerSizeMax});
}

}  // namespace

// A handle of libcurl keeps its connection. Each serves one request at a time, so there are as many as requests were
// on their way at once.
class ApiClient::Connections {
 public:
  explicit Connections(ApiEndpoint endpoint) : endpoint_(std::move(endpoint)) {}

  Result<Answer> ask(const Request& request) {
    Handle curl = take();
    if (!curl) return Error{ErrorKind::kInternal, "curl", "libcurl could not be initialised"};
    http_client::HeaderLines headers;
    headers.add("Accept: application/json");
    headers.add("Content-Type: application/json");
    if (!endpoint_.access_token.empty()) headers.add("Authorization: Bearer " + endpoint_.access_token);
    if (!request.more_header.empty()) headers.add(request.more_header);
    const std::string url = endpoint_.server + request.path;
    Answer answer;
    set_trust(curl.get(), endpoint_);
    set_request(curl.get(), request, url, headers);
    set_answer(curl.get(), answer);
    const CURLcode code = curl_easy_perform(curl.get());
    if (code != CURLE_OK) return error_of(code, endpoint_.server);
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
    give_back(std::move(curl));
    return answer;
  }

  // For what may be done twice.
  Result<Answer> ask_again(const Request& request) {
    auto answer = ask(request);
    if (!is_lost(answer)) return answer;
    std::this_thread::sleep_for(kRetryDelay);
    return ask(request);
  }

 private:
  Handle take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return {curl_easy_init(), curl_easy_cleanup};
    Handle curl = std::move(idle_.back());
    idle_.pop_back();
    return curl;
  }

  void give_back(Handle curl) {
    curl_easy_reset(curl.get());  // the options go, the connection stays
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(curl));
  }

  const ApiEndpoint endpoint_;
  std::mutex mutex_;
  std::vector<Handle> idle_;
};

ApiClient::ApiClient(ApiEndpoint endpoint) : connections_(std::make_unique<Connections>(std::move(endpoint))) {
}
ApiClient::~ApiClient() = default;
ApiClient::ApiClient(ApiClient&&) noexcept = default;

Result<boost::json::value> ApiClient::get(const std::string& path) const {
  TRY(const auto answer, connections_->ask_again({"GET", path}));
  return value_of(answer);
}

Result<boost::json::value> ApiClient::post(const std::string& path, const std::string& body) const {
  crypto::SystemEntropy entropy;
  Bytes random(kIdempotencyKeySize);
  entropy.fill(random);
  const Request request{"POST", path, body, "Idempotency-Key: " + to_hex(random)};
  auto answer = connections_->ask(request);
  if (is_lost(answer)) {
    std::this_thread::sleep_for(kRetryDelay);
    answer = connections_->ask(request);
    for (int i = 0; i < kInProgressTries && answer && is_in_progress(*answer); ++i) {
      std::this_thread::sleep_for(kRetryDelay);
      answer = connections_->ask(request);
    }
  }
  if (!answer) return answer.error();
  return value_of(*answer);
}

Result<boost::json::value> ApiClient::post_repeatable(const std::string& path, const std::string& body) const {
  TRY(const auto answer, connections_->ask_again({"POST", path, body}));
  return value_of(answer);
}

Result<boost::json::value> ApiClient::post_once(const std::string& path, const std::string& body) const {
  TRY(const auto answer, connections_->ask({"POST", path, body}));
  return value_of(answer);
}

Result<boost::json::value> ApiClient::put(const std::string& path, const std::string& body,
                                          const std::string& etag) const {
  TRY(const auto answer,
      connections_->ask({"PUT", path, body, etag.empty() ? "" : fmt::format("If-Match: \"{}\"", etag)}));
  return value_of(answer);
}

Status ApiClient::remove(const std::string& path) const {
  TRY(const auto answer, connections_->ask({"DELETE", path}));
  TRY_STATUS(value_of(answer));
  return {};
}

}  // namespace warifu::cli
