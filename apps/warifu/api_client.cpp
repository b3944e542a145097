#include "warifu/api_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "crypto/system_entropy.h"
#include "http_client/header_lines.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

constexpr long kConnectTimeoutSeconds = 10;
constexpr long kTimeoutSeconds = 60;
constexpr std::size_t kAnswerSizeMax = 16 << 20;

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

Result<Answer> perform(const ApiEndpoint& endpoint, const char* method, const std::string& path,
                       const std::string& body, const std::string& more_header = {}) {
  const Handle curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return Error{ErrorKind::kInternal, "curl", "libcurl could not be initialised"};
  http_client::HeaderLines headers;
  headers.add("Accept: application/json");
  headers.add("Content-Type: application/json");
  if (!endpoint.access_token.empty()) headers.add("Authorization: Bearer " + endpoint.access_token);
  if (!more_header.empty()) headers.add(more_header);

  Answer answer;
  const std::string url = endpoint.server + path;
  std::string pem = endpoint.ca_pem;
  curl_blob ca{pem.data(), pem.size(), CURL_BLOB_NOCOPY};
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  curl_easy_setopt(curl.get(), CURLOPT_CAINFO_BLOB, &ca);
  // Debian's libcurl would believe the machine's authorities too: their folder is built into it.
  curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (!body.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_PEER_FAILED_VERIFICATION)
    return Error{ErrorKind::kRefused, "server.identity",
                 fmt::format("{} did not prove itself: {}; is --ca this server's trust/root.pem?", endpoint.server,
                             curl_easy_strerror(code))};
  if (is_broken_connection(code))
    return Error{ErrorKind::kUnavailable, "server.connection_lost",
                 fmt::format("the connection to {} broke before the answer came: {}", endpoint.server,
                             curl_easy_strerror(code))};
  if (code != CURLE_OK)
    return Error{ErrorKind::kUnavailable, "server.unreachable",
                 fmt::format("no answer from {}: {}", endpoint.server, curl_easy_strerror(code))};
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
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

Result<boost::json::value> ApiClient::call(const char* method, const std::string& path, const std::string& body,
                                           const std::string& more_header) const {
  TRY(const auto answer, perform(endpoint_, method, path, body, more_header));
  return value_of(answer);
}

Result<boost::json::value> ApiClient::post(const std::string& path, const std::string& body) const {
  crypto::SystemEntropy entropy;
  Bytes random(kIdempotencyKeySize);
  entropy.fill(random);
  const std::string key = "Idempotency-Key: " + to_hex(random);
  auto answer = perform(endpoint_, "POST", path, body, key);
  if (!answer && answer.error().code == "server.connection_lost") {
    std::this_thread::sleep_for(kRetryDelay);
    answer = perform(endpoint_, "POST", path, body, key);
    for (int i = 0; i < kInProgressTries && answer && is_in_progress(*answer); ++i) {
      std::this_thread::sleep_for(kRetryDelay);
      answer = perform(endpoint_, "POST", path, body, key);
    }
  }
  if (!answer) return answer.error();
  return value_of(*answer);
}

Result<boost::json::value> ApiClient::put(const std::string& path, const std::string& body,
                                          const std::string& etag) const {
  return call("PUT", path, body, etag.empty() ? "" : fmt::format("If-Match: \"{}\"", etag));
}

Status ApiClient::remove(const std::string& path) const {
  TRY_STATUS(call("DELETE", path, {}));
  return {};
}

}  // namespace warifu::cli
