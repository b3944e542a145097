#pragma once

#include <string_view>

#include "base/result.h"

// Where a webhook may lead. Whoever may make one makes this server send requests into its own network, so that what no
// receiver of events ever is is out of reach.
namespace warifu::webhooks {

// An absolute URL of at most kUrlSizeMax bytes: https, or http to a loopback address or "localhost"; a host; no user,
// no password, no fragment; no address that check_address() refuses. kInvalidInput "webhook.url".
Status check_url(std::string_view url);

// An IP address as text, as a name was resolved: kRefused "webhook.address" for one that is link-local (169.254.0.0/16,
// where clouds tell secrets, fe80::/10), unspecified or multicast, also as an IPv6 address that holds an IPv4 one; and,
// without TLS, for every one that is not loopback.
Status check_address(std::string_view address, bool is_encrypted);

}  // namespace warifu::webhooks
