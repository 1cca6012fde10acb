#include "tests/engine/io/test_namespace.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "engine/io/file_descriptor.h"

namespace vigil::io {
namespace {

bool write_file(const char* path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    return file.good();
}

}  // namespace

std::string enter_own_namespace() {
    const uid_t user = ::getuid();
    const gid_t group = ::getgid();
    if (::unshare(CLONE_NEWNET) != 0) {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
            return std::string("CAP_SYS_ADMIN or user namespaces, to make a network namespace: ") + std::strerror(errno);
        }
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
        write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
    }
    if (!ip("link set lo up")) return "the command ip (package iproute2)";
    if (!ip("link add probe0 type veth peer name probe1") || !ip("link del probe0")) return "kernel module veth";
    write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
    return {};
}

bool ip(const std::string& arguments) { return std::system(("ip " + arguments + " 2>/dev/null").c_str()) == 0; }

void make_veth_pair() {
    remove_veth_pair();
    ASSERT_TRUE(ip("link add v0 type veth peer name v1"));
    ASSERT_TRUE(ip("link set v0 up") && ip("link set v1 up"));
    wait_until_frames_pass("v0", "v1");
    wait_until_frames_pass("v1", "v0");
}

void wait_until_frames_pass(const std::string& from, const std::string& to) {
    // An EtherType of its own (IEEE 802 local experimental 1), which no filter under test lets through.
    constexpr std::uint16_t type = 0x88b5;
    const auto open_on = [](const std::string& name) {
        FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(type);
        address.sll_ifindex = static_cast<int>(index_of(name));
        EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << name;
        return socket;
    };
    const FileDescriptor sender = open_on(from);
    const FileDescriptor receiver = open_on(to);
    std::array<std::uint8_t, 60> probe{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x77, type >> 8, type & 0xff};
    for (int attempt = 0; attempt < 1000; ++attempt) {
        (void)!::send(sender.get(), probe.data(), probe.size(), 0);
        pollfd poller{receiver.get(), POLLIN, 0};
        if (::poll(&poller, 1, 20) > 0) return;
    }
    ADD_FAILURE() << "no frame passes from " << from << " to " << to;
}

void remove_veth_pair() { (void)ip("link del v0"); }

unsigned index_of(const std::string& interface_name) { return ::if_nametoindex(interface_name.c_str()); }

bool file_contains(const std::string& path, const std::string& text) {
    std::stringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str().find(text) != std::string::npos;
}

}  // namespace vigil::io

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const std::string missing = testing::GTEST_FLAG(list_tests) ? "" : vigil::io::enter_own_namespace();
    if (!missing.empty()) {
        std::printf("skipped: missing %s\n", missing.c_str());
        return 77;
    }
    return RUN_ALL_TESTS();
}
