#pragma once

#include <net/if.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/link_port.h"

/// A network namespace with veth pairs, for benchmarks of the kernel's part. Left at exit, when it vanishes.
namespace vigil::bench {

/// Pairs t0/r0 to t(n-1)/r(n-1), all up, as many as were asked for at most. Empty, or what is missing.
inline std::string make_pairs(int count) {
    static const bool has_namespace = ::unshare(CLONE_NEWNET) == 0;
    static int made = 0;
    if (!has_namespace) return "missing: CAP_SYS_ADMIN, to make a network namespace";
    if (made >= count) return {};
    // Without IPv6, which would send its own frames while we measure.
    if (std::system("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6") != 0) return "missing: /proc/sys";
    FILE* batch = ::popen("ip -batch - 2>/dev/null", "w");
    if (batch == nullptr) return "missing: ip (iproute2)";
    for (; made < count; ++made) {
        std::fprintf(batch, "link add t%d type veth peer name r%d\nlink set t%d up\nlink set r%d up\n", made, made, made, made);
    }
    return ::pclose(batch) == 0 ? std::string() : "missing: ip (iproute2) or kernel module veth";
}

/// Ports on PREFIX0 to PREFIX(count-1), numbered as links in that order; fewer when one cannot be opened.
inline std::vector<std::unique_ptr<io::LinkPort>> open_ports(const std::string& prefix, std::size_t count, io::RingGeometry ring = {}) {
    std::vector<io::LinkPortOptions> options(count);
    for (std::size_t i = 0; i < count; ++i) {
        options[i].link = engine::LinkIndex{static_cast<std::uint16_t>(i)};
        options[i].interface_name = prefix + std::to_string(i);
        options[i].interface_index = ::if_nametoindex(options[i].interface_name.c_str());
        options[i].ring = ring;
    }
    std::vector<std::unique_ptr<io::LinkPort>> ports;
    for (auto& port : io::open_ports(options)) {
        if (port) ports.push_back(std::move(*port));
    }
    return ports;
}

/// Adverts as they leave: 54 octets of Ethernet, IPv4 and VRRPv2 with one address, in slots of 64.
struct Adverts {
    static constexpr std::size_t size = 54;
    static constexpr std::size_t stride = 64;
    std::vector<std::uint8_t> bytes;

    explicit Adverts(std::size_t count) : bytes(count * stride) {
        constexpr std::uint8_t head[] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0x00, 0x00, 0x5e, 0x00, 0x01, 0x07, 0x08, 0x00, 0x45};
        for (std::size_t i = 0; i < count; ++i) {
            std::copy(std::begin(head), std::end(head), bytes.begin() + static_cast<std::ptrdiff_t>(i * stride));
            bytes[i * stride + 11] = static_cast<std::uint8_t>(i);
            bytes[i * stride + 22] = 255;
            bytes[i * stride + 23] = 112;
            bytes[i * stride + 30] = 224;
            bytes[i * stride + 34] = 0x21;
            bytes[i * stride + 35] = 7;
        }
    }
    const std::uint8_t* operator[](std::size_t i) const { return &bytes[i * stride]; }
};

}  // namespace vigil::bench
