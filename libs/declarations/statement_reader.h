#pragma once

#include "declarations/declaration.h"

namespace warifu::declarations {

// Takes the members of an enrollment or group out of a node, each with its type. `file` names it in errors.
class StatementReader {
 public:
  // Without `read_file` no file may be named.
  StatementReader(std::string_view file, const ReadFile* read_file) : file_(file), read_file_(read_file) {}

  // `id` is empty when the node itself says it ("registration_id", "group_id").
  Result<Declaration> enrollment(const Node& spec, const Node* id) const;
  Result<Declaration> group(const Node& spec, const Node* id) const;
  Result<Declaration> group_eks(const Node& spec) const;

  Error error(std::string_view code, std::string message, const Node& at) const;
  Error error(std::string_view code, std::string message, const Member& at) const;
  Status expect_map(const Node& node, std::string_view what) const;
  Status refuse_unknown(const Node& map, std::initializer_list<std::string_view> known) const;
  Result<const Node*> required(const Node& map, std::string_view name) const;
  Result<std::string> text(const Node& node, std::string_view name) const;
  Result<std::uint64_t> number(const Node& node, std::string_view name) const;

 private:
  Result<boost::json::object> attestation(const Node& node, bool is_group) const;
  Result<boost::json::object> tpm(const Node& node) const;
  Result<boost::json::object> tpms_of_group(const Node& node) const;
  Result<boost::json::object> x509(const Node& node) const;
  Result<boost::json::value> certificate(const Node& node, std::string_view name) const;
  Result<boost::json::object> symmetric_key(const Node& node) const;
  Status add_key(boost::json::object& keys, const Node& node, std::string_view name) const;
  Status add_term(boost::json::object& request, const Member& member) const;
  Result<std::vector<std::string>> eks(const Node& spec) const;
  Result<bool> boolean(const Node& node, std::string_view name) const;
  Result<std::vector<std::string>> texts(const Node& node, std::string_view name) const;
  Result<std::string> content(const Node& name) const;

  std::string file_;
  const ReadFile* read_file_;
};

}  // namespace warifu::declarations
