#include "webhooks/destination.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "webhooks/limits.h"

namespace warifu::webhooks {
namespace {

namespace urls = boost::urls;

constexpr std::string_view kLocalhost = "localhost";

enum class Reach { kLoopback, kForbidden, kOther };

Reach reach_of(const urls::ipv4_address& address) {
  const auto bytes = address.to_bytes();
  if (bytes[0] == 127) return Reach::kLoopback;
  const bool is_link_local = bytes[0] == 169 && bytes[1] == 254;
  // 0.0.0.0/8 is this host to some systems; from 224 on come multicast, reserved and broadcast.
  return is_link_local || bytes[0] == 0 || bytes[0] >= 224 ? Reach::kForbidden : Reach::kOther;
}

using V6 = urls::ipv6_address::bytes_type;

template <std::size_t size>
bool begins_with(const V6& bytes, const std::array<std::uint8_t, size>& prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

urls::ipv4_address inner(const V6& bytes, const std::array<std::size_t, 4>& at) {
  return urls::ipv4_address(urls::ipv4_address::bytes_type{bytes[at[0]], bytes[at[1]], bytes[at[2]], bytes[at[3]]});
}

bool is_link_local_or_loopback(const urls::ipv4_address& address) {
  const auto bytes = address.to_bytes();
  return bytes[0] == 127 || (bytes[0] == 169 && bytes[1] == 254);
}

// Whether a router or a gateway takes what is sent there on to an IPv4 address that is forbidden, or to its own
// loopback.
bool leads_to_forbidden(const V6& bytes) {
  constexpr std::array<std::uint8_t, 12> kTranslated = {0, 0x64, 0xff, 0x9b};           // RFC 6052
  constexpr std::array<std::uint8_t, 6> kTranslatedHere = {0, 0x64, 0xff, 0x9b, 0, 1};  // RFC 8215
  constexpr std::array<std::uint8_t, 12> kCompatible = {};                              // ::a.b.c.d
  constexpr std::array<std::uint8_t, 2> kSixToFour = {0x20, 0x02};                      // RFC 3056
  // Where an IPv4 address lies by the length of the prefix, which only its gateway knows: 48, 56, 64, 96 (RFC 6052).
  constexpr std::array<std::array<std::size_t, 4>, 4> kPlaces = {
      {{6, 7, 9, 10}, {7, 9, 10, 11}, {9, 10, 11, 12}, {12, 13, 14, 15}}};
  const auto is_bad = [&](const std::array<std::size_t, 4>& at) { return reach_of(inner(bytes, at)) != Reach::kOther; };
  if (begins_with(bytes, kTranslated) || begins_with(bytes, kCompatible)) return is_bad(kPlaces.back());
  if (begins_with(bytes, kSixToFour)) return is_bad({2, 3, 4, 5});
  // An address has zeros where it is not in use, so that 0.0.0.0 is no sign there.
  return begins_with(bytes, kTranslatedHere) &&
         std::ranges::any_of(kPlaces, [&](const auto& at) { return is_link_local_or_loopback(inner(bytes, at)); });
}

Reach reach_of(const urls::ipv6_address& address) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.is_loopback()) return Reach::kLoopback;
  const auto bytes = address.to_bytes();
  // The system itself takes it for the IPv4 address.
  if (begins_with(bytes, kMapped)) return reach_of(inner(bytes, {12, 13, 14, 15}));
  // fe80::/10 link-local, fec0::/10 site-local (deprecated), ff00::/8 multicast.
  const bool is_local = bytes[0] == 0xfe && (bytes[1] & 0x80) != 0;
  return is_local || bytes[0] == 0xff || leads_to_forbidden(bytes) ? Reach::kForbidden : Reach::kOther;
}

std::optional<Reach> reach_of(std::string_view text) {
  if (const auto v4 = urls::parse_ipv4_address(text)) return reach_of(*v4);
  if (const auto v6 = urls::parse_ipv6_address(text)) return reach_of(*v6);
  return std::nullopt;
}

bool is_localhost(std::string_view host) {
  return std::ranges::equal(host, kLocalhost, [](char a, char b) { return (a | 0x20) == b; });
}

Error refuse_url(std::string_view why) {
  // What came is not repeated: its path may be a secret of the receiver.
  return invalid_input("webhook.url",
                       fmt::format("{}: a webhook leads to https://HOST[:PORT]/PATH, or to http:// on this machine, "
                                   "with at most {} characters",
                                   why, kUrlSizeMax),
                       "url");
}

// Boost.URL takes any digits, and none.
bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port != 0;
}

// Host and port as the text has them, up to the path: what another parser may read.
std::string_view authority_in(std::string_view url) {
  const auto begin = std::min(url.find("://"), url.size() - 3) + 3;
  return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

bool is_plain_host(std::string_view authority) {
  return std::ranges::all_of(authority, [](char c) {
    const bool is_letter_or_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter_or_digit || std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
}

// A host of digits and dots alone is an address that other programs read in their own ways.
bool is_odd_number(std::string_view host) {
  const auto last = host.substr(host.rfind('.') == std::string_view::npos ? 0 : host.rfind('.') + 1);
  return !last.empty() && std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Status check_url(std::string_view url) {
  if (url.size() > kUrlSizeMax) return refuse_url("it is too long");
  const auto parsed = urls::parse_uri(url);
  if (!parsed) return refuse_url("this is no absolute URL");
  const bool is_encrypted = parsed->scheme_id() == urls::scheme::https;
  if (!is_encrypted && parsed->scheme_id() != urls::scheme::http) return refuse_url("this is another scheme");
  if (parsed->has_userinfo()) return refuse_url("it names a user or a password");
  if (parsed->has_fragment()) return refuse_url("it has a fragment");
  // Boost.URL 1.81 stops reading at the bracket of "http://[::1]a@b", where libcurl goes on to the host b.
  const auto authority = authority_in(url);
  if (std::string_view(parsed->encoded_host_and_port()) != authority || !is_plain_host(authority))
    return refuse_url("its host cannot be read in one way only");
  if (parsed->has_port() && !is_port(parsed->port())) return refuse_url("its port is no port");
  const std::string host = parsed->host_address();
  if (host.empty()) return refuse_url("it names no host");
  if (parsed->host_type() == urls::host_type::ipvfuture) return refuse_url("its address is of an unknown kind");
  const auto reach = reach_of(host);
  if (!reach && is_odd_number(host)) return refuse_url("its host is neither a name nor an address");
  if (reach) return check_address(host, is_encrypted);
  if (!is_encrypted && !is_localhost(host)) return refuse_url("without TLS it leaves this machine");
  return {};
}

Status check_address(std::string_view address, bool is_encrypted) {
  const auto reach = reach_of(address);
  if (reach == Reach::kLoopback || (reach == Reach::kOther && is_encrypted)) return {};
  if (reach == Reach::kOther)
    return Error{ErrorKind::kRefused, "webhook.address",
                 fmt::format("{} is not this machine, and there is no TLS: use https", address)};
  return Error{ErrorKind::kRefused, "webhook.address",
               fmt::format("{} is a link-local, unspecified or multicast address: no events are sent there", address)};
}

}  // namespace warifu::webhooks
