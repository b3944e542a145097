#pragma once

#include <string_view>

namespace warifu::provisioning {

// What an operator does about a refusal with this code (Attempt::code): whole sentences.
std::string_view advice_on(std::string_view code);

}  // namespace warifu::provisioning
