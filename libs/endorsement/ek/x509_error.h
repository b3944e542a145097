#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "wire/reader.h"

namespace warifu::endorsement {

// "endorsement.certificate.form": what is wrong with a certificate, in which of its fields and where.
inline Error bad_form(std::string message, std::string_view field, std::size_t offset) {
  return invalid_input("endorsement.certificate.form", std::move(message), wire::place(field, offset));
}

}  // namespace warifu::endorsement
