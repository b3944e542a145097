#include "nginx.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness.h"

namespace warifu::bench {
namespace {

constexpr char kProgram[] = "/usr/sbin/nginx";  // of Debian's nginx-light

// One process does all: its clock is the worker's. As many requests on a connection as the bench likes.
constexpr char kConfiguration[] = R"(daemon off;
master_process off;
pid {0}/pid;
error_log {0}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {0}/a;
  proxy_temp_path {0}/b;
  fastcgi_temp_path {0}/c;
  uwsgi_temp_path {0}/d;
  scgi_temp_path {0}/e;
  server {{
    listen 127.0.0.1:{1} ssl;
    ssl_certificate {0}/chain.pem;
    ssl_certificate_key {0}/key.pem;
    ssl_protocols TLSv1.3;
    ssl_session_tickets off;
    location / {{ return 200 "hello"; }}
  }}
}}
)";

int new_socket(sockaddr_in& address) {
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

std::uint16_t free_port() {
  sockaddr_in address;
  const int fd = new_socket(address);
  socklen_t size = sizeof(address);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

bool answers(std::uint16_t port) {
  sockaddr_in address;
  const int fd = new_socket(address);
  address.sin_port = htons(port);
  const bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return connected;
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

[[noreturn]] void become_nginx(const std::string& folder) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDERR_FILENO);
  const std::string configuration = folder + "/nginx.conf";
  ::execl(kProgram, kProgram, "-p", folder.c_str(), "-c", configuration.c_str(), nullptr);
  std::_Exit(127);
}

}  // namespace

Result<std::unique_ptr<Nginx>> Nginx::start(const TlsIdentity& identity) {
  const auto refuse = [](std::string why) { return Error{ErrorKind::kUnavailable, "bench.nginx", std::move(why)}; };
  if (::access(kProgram, X_OK) != 0) return refuse("nginx is not installed (package nginx-light)");
  std::string folder = (std::filesystem::temp_directory_path() / "warifu-nginx-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return refuse("no folder for nginx");
  const std::uint16_t port = free_port();
  write_file(folder + "/chain.pem", identity.chain_pem);
  write_file(folder + "/key.pem", identity.key_pem);
  write_file(folder + "/nginx.conf", fmt::format(kConfiguration, folder, port));
  const pid_t process = ::fork();
  if (process == 0) become_nginx(folder);
  std::unique_ptr<Nginx> nginx(new Nginx(process, port, folder));
  for (int i = 0; i < 500; ++i) {
    if (answers(port)) return nginx;
    ::usleep(10'000);
  }
  return refuse("nginx did not start in five seconds");
}

Nginx::Nginx(pid_t process, std::uint16_t port, std::string folder)
    : process_(process), port_(port), folder_(std::move(folder)) {
}

Nginx::~Nginx() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

double Nginx::cpu_micros() const {
  clockid_t clock{};
  return ::clock_getcpuclockid(process_, &clock) == 0 ? micros_of(clock) : 0;
}

}  // namespace warifu::bench
