#pragma once

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>

// Packages written byte by byte, right or not: dpkg-deb makes none that lie (tests/system has those that it makes).
namespace warifu::debian_packages::test {

struct TarMember {
  std::string name;
  std::string content = {};
  char type = '0';  // a file; '1' a hard link, '2' a symbolic link, '3' a device, '5' a folder
  std::string link = {};
  std::size_t told_size = std::string::npos;  // npos: the content's
};

inline std::string tar_header(const TarMember& member) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  put(0, std::string_view(member.name).substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", member.told_size == std::string::npos ? member.content.size() : member.told_size));
  put(136, "00000000000");
  header[156] = member.type;
  put(157, std::string_view(member.link).substr(0, 100));
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  put(148, "        ");
  unsigned sum = 0;
  for (const char c : header)
    sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  return header;
}

inline std::string tar_of(std::initializer_list<TarMember> members) {
  std::string tar;
  for (const auto& member : members) {
    tar += tar_header(member) + member.content;
    tar.resize((tar.size() + 511) / 512 * 512);
  }
  return tar + std::string(1024, '\0');
}

inline std::string ar_member(std::string_view name, std::string_view content, std::size_t told_size) {
  std::string member = fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, 100644, told_size);
  member += content;
  if (content.size() % 2 != 0) member += '\n';
  return member;
}
inline std::string ar_member(std::string_view name, std::string_view content) {
  return ar_member(name, content, content.size());
}

inline std::string deb_of(std::string_view data_tar) {
  return "!<arch>\n" + ar_member("debian-binary", "2.0\n") + ar_member("control.tar", tar_of({{"./control"}})) +
         ar_member("data.tar", data_tar);
}

}  // namespace warifu::debian_packages::test
