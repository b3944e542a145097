#include "tpm_device/tcti.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/temp_dir.h"
#include "wire/writer.h"

namespace warifu::tpm_device {
namespace {

using testing::HasSubstr;

TEST(TctiAddress, TakesEachKind) {
  const auto device = TctiAddress::parse("device:/dev/tpmrm0");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->path(), "/dev/tpmrm0");
  EXPECT_FALSE(device->is_emulator());
  const auto swtpm = TctiAddress::parse("swtpm:path=/run/swtpm/tpm");
  ASSERT_TRUE(swtpm);
  EXPECT_EQ(swtpm->path(), "/run/swtpm/tpm");
  EXPECT_TRUE(swtpm->is_emulator());
  for (const char* text : {"swtpm:host=127.0.0.1,port=2321", "mssim:host=localhost,port=2321",
                           "tabrmd:", "tabrmd:bus_name=com.intel.tss2.Tabrmd,bus_type=session"}) {
    const auto address = TctiAddress::parse(text);
    ASSERT_TRUE(address) << to_string(address.error());
    EXPECT_EQ(address->text(), text);
    EXPECT_EQ(address->path(), "");
  }
}

TEST(TctiAddress, RefusesTheRestWithTheListOfWhatIsPossible) {
  for (const char* text : {"", "device", "/dev/tpmrm0", "device:", "device:tpmrm0", "cmd:socat - x",
                           "libtpms:", "swtpm:", "swtpm:path=", "swtpm:port=2321", "swtpm:path=/a,host=b",
                           "swtpm:host=a,port=0", "swtpm:host=a,port=65535", "swtpm:host=a,port=2321x", "swtpm:host",
                           "swtpm:host=a,colour=b", "mssim:path=/a", "mssim:"}) {
    const auto address = TctiAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::kInvalidInput);
    EXPECT_EQ(address.error().code, "tpm.tcti");
    EXPECT_THAT(address.error().message, HasSubstr("device:/dev/tpmrm0")) << text;
  }
}

TEST(TctiAddress, RefusesASocketPathForWhichThereIsNoRoom) {
  const std::string longest(102, 'p');
  EXPECT_TRUE(TctiAddress::parse("swtpm:path=" + longest));
  const auto refused = TctiAddress::parse("swtpm:path=" + longest + "p");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("102 is the longest"));
}

// Answers every command with the next of its answers (the last one again and again), as swtpm does on its two sockets.
class ScriptedTpm {
 public:
  explicit ScriptedTpm(std::vector<Bytes> answers) : answers_(std::move(answers)) {
    data_ = listen_at(path());
    control_ = listen_at(path() + ".ctrl");
    threads_[0] = std::thread([this] { serve(data_, &ScriptedTpm::answer_command); });
    threads_[1] = std::thread([this] { serve(control_, &ScriptedTpm::answer_control); });
  }
  ~ScriptedTpm() {
    for (const int socket : {data_, control_})
      shutdown(socket, SHUT_RDWR);
    for (std::thread& thread : threads_)
      thread.join();
    for (const int socket : {data_, control_})
      close(socket);
  }
  ScriptedTpm(const ScriptedTpm&) = delete;
  ScriptedTpm& operator=(const ScriptedTpm&) = delete;

  std::string path() const { return directory_.path().string() + "/tpm"; }
  Result<TctiPtr> open() const { return open_tcti(TctiAddress::parse("swtpm:path=" + path()).value()); }
  std::size_t commands() const { return commands_; }

 private:
  static int listen_at(const std::string& path) {
    const int socket_file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (bind(socket_file, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(socket_file, 4) != 0)
      std::abort();
    return socket_file;
  }
  void serve(int listener, bool (ScriptedTpm::*answer)(int)) {
    for (int client = accept(listener, nullptr, nullptr); client >= 0; client = accept(listener, nullptr, nullptr)) {
      while ((this->*answer)(client)) {
      }
      close(client);
    }
  }
  bool answer_command(int client) {
    std::array<std::uint8_t, 4096> command;
    if (recv(client, command.data(), command.size(), 0) <= 0) return false;
    const Bytes& next = answers_[std::min(commands_++, answers_.size() - 1)];
    return send(client, next.data(), next.size(), MSG_NOSIGNAL) > 0;
  }
  bool answer_control(int client) {
    std::array<std::uint8_t, 4096> command;
    if (recv(client, command.data(), command.size(), 0) <= 0) return false;
    const std::array<std::uint8_t, 4> done{};
    return send(client, done.data(), done.size(), MSG_NOSIGNAL) > 0;
  }

  std::vector<Bytes> answers_;
  const TempDir directory_{"/tmp"};
  int data_ = -1;
  int control_ = -1;
  std::atomic<std::size_t> commands_ = 0;
  std::array<std::thread, 2> threads_;
};

Bytes header(std::uint16_t tag, std::uint32_t code, ByteView rest = {}) {
  return wire::Writer().u16(tag).u32(static_cast<std::uint32_t>(10 + rest.size())).u32(code).bytes(rest).take();
}
Bytes works() {
  return header(0x8001, 0, wire::Writer().u16(0).u32(0).take());
}
Bytes hierarchies(std::uint32_t value) {
  return header(0x8001, 0, wire::Writer().u8(0).u32(6).u32(1).u32(0x201).u32(value).take());
}

TEST(OpenTcti, OpensATpmThatWorks) {
  const ScriptedTpm tpm({works(), hierarchies(0xF)});
  const auto tcti = tpm.open();
  EXPECT_TRUE(tcti) << to_string(tcti.error());
}

TEST(OpenTcti, StartsUpAnEmulatorThatNobodyStarted) {
  const ScriptedTpm tpm({header(0x8001, 0x100), header(0x8001, 0), works(), hierarchies(0xF)});
  EXPECT_TRUE(tpm.open());
  EXPECT_EQ(tpm.commands(), 4u);
}

TEST(OpenTcti, RefusesOneThatStaysDown) {
  const ScriptedTpm tpm({header(0x8001, 0x100)});
  EXPECT_EQ(tpm.open().error().code, "tpm.not-started");
}

TEST(OpenTcti, RefusesATpm12ByItsAnswer) {
  const ScriptedTpm tpm({header(0x00C4, 0x1E)});
  EXPECT_EQ(tpm.open().error().code, "tpm.version");
}

TEST(OpenTcti, RefusesATpmInFailureMode) {
  const ScriptedTpm tpm({header(0x8001, 0x101)});
  EXPECT_EQ(tpm.open().error().code, "tpm.failure-mode");
}

TEST(OpenTcti, RefusesATpmWhoseHierarchiesAreOff) {
  const ScriptedTpm tpm({works(), hierarchies(0x9)});
  EXPECT_EQ(tpm.open().error().code, "tpm.disabled");
}

TEST(OpenTcti, RefusesAnAnswerThatIsNone) {
  const ScriptedTpm tpm({header(0x8001, 0)});
  EXPECT_EQ(tpm.open().error().code, "tpm.unreachable");
}

TEST(OpenTcti, SaysThatNoEmulatorIsThere) {
  const auto missing = open_tcti(TctiAddress::parse("swtpm:path=/nowhere/tpm").value());
  EXPECT_EQ(missing.error().code, "tpm.absent");
  EXPECT_THAT(missing.error().message, HasSubstr("is swtpm running"));
  const auto refused = open_tcti(TctiAddress::parse("swtpm:host=127.0.0.1,port=1").value());
  EXPECT_EQ(refused.error().code, "tpm.unreachable");
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
}

TEST(OpenTcti, SaysThatNoDeviceIsThere) {
  const SystemRoots nothing{"/nowhere/dev", "/nowhere/sys"};
  const auto missing = open_tcti(TctiAddress::parse("device:/nowhere/dev/tpmrm0").value(), nothing);
  EXPECT_EQ(missing.error().code, "tpm.absent");
}

}  // namespace
}  // namespace warifu::tpm_device
