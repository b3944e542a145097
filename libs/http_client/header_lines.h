#pragma once

#include <curl/curl.h>

#include <cstring>
#include <string>

#include "base/secret.h"

namespace warifu::http_client {

// A list of header lines for libcurl that frees, and wipes, itself: one of them is a credential.
class HeaderLines {
 public:
  HeaderLines() = default;
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  ~HeaderLines() {
    for (const curl_slist* line = lines_; line != nullptr; line = line->next)
      explicit_bzero(line->data, std::strlen(line->data));
    curl_slist_free_all(lines_);
  }
  void add(std::string line) {
    lines_ = curl_slist_append(lines_, line.c_str());
    wipe(line);
  }
  const curl_slist* get() const { return lines_; }

 private:
  curl_slist* lines_ = nullptr;
};

}  // namespace warifu::http_client
