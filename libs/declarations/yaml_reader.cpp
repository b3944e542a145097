#include "declarations/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <unordered_set>

#include "wire/utf8.h"

namespace warifu::declarations {
namespace {

// yaml-cpp is left in the middle of a document only by an exception; it does not leave read_yaml().
struct Refusal {
  std::string_view code;
  std::string message;
  YAML::Mark mark;
};

// Builds nodes from what the parser meets, and keeps count: nothing grows that the limits do not allow.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const YamlLimits& limits) : limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // What begins no value, like a comma, yaml-cpp does not get past: one empty document after another, for ever.
    if (mark.pos == document_at_) throw Refusal{"yaml.syntax", "no value can begin like this", mark};
    document_at_ = mark.pos;
    root_.reset();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(begin(mark, "", anchor)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{"yaml.anchor", "an alias (*name) is not taken: write the value out", mark};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = begin(mark, tag, anchor);
    node.kind = Node::Kind::kScalar;
    node.is_plain = tag == "?";
    node.text = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(begin(mark, tag, anchor), Node::Kind::kSequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(begin(mark, tag, anchor), Node::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

  std::optional<Node> take() { return std::exchange(root_, std::nullopt); }

 private:
  struct Level {
    Node node;
    std::optional<Member> key;  // of a map: read, and its value not yet
    std::unordered_set<std::string> names;
    YAML::Mark mark;
  };

  Node begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refusal{"yaml.anchor", "an anchor (&name) is not taken", mark};
    if (!tag.empty() && tag != "?" && tag != "!")
      throw Refusal{"yaml.tag", fmt::format("the tag \"{}\" is not taken", tag), mark};
    if (++nodes_ > limits_.max_nodes)
      throw Refusal{"yaml.too_large", fmt::format("more than {} values", limits_.max_nodes), mark};
    mark_ = mark;
    Node node;
    node.line = static_cast<std::size_t>(mark.line) + 1;
    node.column = static_cast<std::size_t>(mark.column) + 1;
    return node;
  }

  void open(Node node, Node::Kind kind) {
    if (levels_.size() >= limits_.max_depth)
      throw Refusal{"yaml.too_deep", fmt::format("nested more than {} deep", limits_.max_depth), mark_};
    node.kind = kind;
    levels_.push_back({std::move(node), std::nullopt, {}, mark_});
  }

  void close() {
    Node node = std::move(levels_.back().node);
    mark_ = levels_.back().mark;
    levels_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == Node::Kind::kSequence)
      level.node.items.push_back(std::move(node));
    else if (!level.key)
      level.key = key_of(level, std::move(node));
    else {
      level.key->value = std::move(node);
      level.node.members.push_back(*std::exchange(level.key, std::nullopt));
    }
  }

  Member key_of(Level& level, Node node) const {
    if (node.kind != Node::Kind::kScalar) throw Refusal{"yaml.key", "a key is a text", mark_};
    if (node.is_plain && node.text == "<<") throw Refusal{"yaml.key", "the merge key << is not taken", mark_};
    if (!level.names.insert(node.text).second)
      throw Refusal{"yaml.duplicate_key", fmt::format("\"{}\" stands here twice", node.text), mark_};
    return {std::move(node.text), node.line, node.column, {}};
  }

  const YamlLimits limits_;
  int document_at_ = -1;
  std::size_t nodes_ = 0;
  std::vector<Level> levels_;
  std::optional<Node> root_;
  YAML::Mark mark_;
};

// yaml-cpp would guess UTF-16 from NUL bytes, and put other characters in place of what is no UTF-8.
Status check_encoding(std::string_view text, std::string_view file) {
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = text[at] == '\0' ? 0 : wire::utf8_length(text.substr(at));
    if (length == 0)
      return invalid_input("yaml.encoding", "expected UTF-8 without NUL bytes", fmt::format("{}:{}", file, line));
    if (text[at] == '\n') ++line;
    at += length;
  }
  return {};
}

Error error_at(std::string_view code, std::string message, std::string_view file, const YAML::Mark& mark) {
  return invalid_input(code, std::move(message), fmt::format("{}:{}:{}", file, mark.line + 1, mark.column + 1));
}

}  // namespace

Result<std::vector<Node>> read_yaml(std::string_view text, std::string_view file, YamlLimits limits) {
  if (text.size() > limits.max_bytes)
    return invalid_input("yaml.too_large",
                         fmt::format("a YAML file has at most {} bytes, this one has {}: JSON Lines have no such limit",
                                     limits.max_bytes, text.size()),
                         std::string(file));
  TRY_STATUS(check_encoding(text, file));
  std::vector<Node> documents;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(limits);
    while (parser.HandleNextDocument(builder)) {
      auto document = builder.take();
      if (document && document->kind != Node::Kind::kNull) documents.push_back(*std::move(document));
    }
  } catch (const Refusal& refusal) {
    return error_at(refusal.code, refusal.message, file, refusal.mark);
  } catch (const YAML::Exception& error) {
    return error_at("yaml.syntax", error.msg, file, error.mark);
  }
  return documents;
}

}  // namespace warifu::declarations
