#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::signer_app {

struct InitRequest {
  std::filesystem::path folder;
  std::string organisation;
  std::string key_backend = "file";
  std::string curve = "P-384";
  std::vector<std::string> server_names;
  std::filesystem::path root;  // where the root's desk is made, on this machine
  bool is_root_offline = false;
  bool takes_what_is_there = false;  // the same signer may be there already
};
// Makes the keys of the roles in their place, and a root that certifies them, or requests for one that is offline.
Status init(const InitRequest& request);
// Takes what an offline root signed (`warifu root sign --out`).
Status install(const std::filesystem::path& folder, const std::filesystem::path& from);

struct ServeRequest {
  std::filesystem::path folder;
  std::filesystem::path socket;
  bool is_connected = false;  // standard input is a socket to the one client, which started this program
  std::string server_user;    // whose requests are the server's; without it the signer's own user
  bool is_confined = true;
};
Status serve(const ServeRequest& request);

// Prints which roles there are, until when, and how much was signed.
Status show_status(const std::filesystem::path& folder, bool json);
// Lets nodes have these names. A running signer believes it when it is started again.
Status allow(const std::filesystem::path& folder, const std::vector<std::string>& server_names);

}  // namespace warifu::signer_app
