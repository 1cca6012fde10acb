#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "tests/engine/core/engine_harness.h"

/// A router started from its specification, asked what it sends and what it takes: bytes in, bytes out.
namespace vigil::test {

using namespace vigil::engine;

inline Harness started(const RouterSpec& router) {
    Harness harness(with({router}));
    harness.start(at(0s));
    harness.events();
    return harness;
}

/// The router after its Active_Down_Timer fired at 10 s; what it sent then is still in the batch.
inline Harness taking_over(const RouterSpec& router) {
    Harness harness(with({router}));
    harness.start(at(10s) - active_down_interval(harness.router()));
    harness.events();
    harness.time(at(10s));
    EXPECT_EQ(harness.router().state, State::active);
    return harness;
}

inline Harness settled_active(const RouterSpec& router) {
    Harness harness = taking_over(router);
    harness.sent();
    harness.events();
    return harness;
}

/// The first advert that the router ever sends, as an Ethernet frame.
inline Octets first_advert(const RouterSpec& router) {
    Harness harness = taking_over(router);
    const auto sent = harness.adverts();
    return sent.empty() ? Octets{} : sent[0].as_frame();
}

/// True when the frame was taken and counted as received. A frame that is not taken must leave the record and the wire as they were.
inline bool takes(Harness& harness, const FrameBuilder& frame, Instant arrival = at(1s)) {
    const VirtualRouter before = harness.router();
    const std::uint64_t received = harness.counters().adverts_received;
    harness.receive(frame, arrival);
    if (harness.counters().adverts_received == received + 1) return true;
    EXPECT_EQ(std::memcmp(&before, &harness.router(), sizeof before), 0) << "a refused frame changed the record";
    EXPECT_TRUE(harness.tx.is_empty()) << "a refused frame made us send";
    return false;
}

inline bool takes(const RouterSpec& router, const FrameBuilder& frame) {
    Harness harness = started(router);
    return takes(harness, frame);
}

inline std::size_t announcement_count(const std::vector<Sent>& sent) {
    return static_cast<std::size_t>(std::count_if(sent.begin(), sent.end(), [](const Sent& one) { return !one.is_urgent; }));
}

/// What the router announces when it has taken over and the kernel has the addresses.
inline std::vector<Octets> announcements_of(const RouterSpec& router) {
    Harness harness = settled_active(router);
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.time(at(10s));
    std::vector<Octets> all;
    for (const Sent& one : harness.sent()) {
        if (!one.is_urgent) all.push_back(one.bytes);
    }
    return all;
}

inline MacAddress mac_at(const Octets& frame, std::size_t offset) {
    MacAddress mac;
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(offset), 6, mac.octets.begin());
    return mac;
}
inline Octets slice(const Octets& frame, std::size_t offset, std::size_t size) {
    const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}
inline Octets octets_of(const IpAddress& address) { return {address.bytes().begin(), address.bytes().end()}; }

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t ipv4_message = ethernet_size + 20;  ///< where the VRRP message begins
constexpr std::size_t ipv6_message = ethernet_size + 40;

}  // namespace vigil::test
