// What `vmac_mode nftables` costs: electing thousands of routers at once, and each frame that passes the rules. And what `no_accept` costs.

#include <benchmark/benchmark.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <span>

#include "arp/kernel/accept_filter.h"
#include "arp/kernel/virtual_mac_set.h"
#include "bench/veth_lan.h"

namespace {

using namespace vigil;
using arp::kernel::VirtualMacSet;

std::vector<VirtualMacSet::Member> fill(VirtualMacSet& set, std::int64_t interfaces, int routers_each,
                                        const std::string& prefix = "t") {
    std::vector<VirtualMacSet::Member> members;
    for (std::int64_t i = 0; i < interfaces; ++i) {
        for (int vrid = 1; vrid <= routers_each; ++vrid) {
            members.push_back(set.add({.interface = prefix + std::to_string(i),
                                       .mac = virtual_mac(Family::ipv4, static_cast<Vrid>(vrid)),
                                       .addresses = {ipv4(10, static_cast<std::uint8_t>(i), 0, static_cast<std::uint8_t>(vrid))}}));
        }
    }
    return members;
}

/// Arguments: interfaces, each with 255 virtual routers. One iteration elects all and sends them back.
void virtual_macs_elected(benchmark::State& state) {
    const std::string missing = bench::make_pairs(static_cast<int>(state.range(0)));
    auto set = missing.empty() ? VirtualMacSet::open() : arp::kernel::refused(EPERM, missing);
    if (!set || !set->probe()) return state.SkipWithError("missing: nftables with an egress hook");
    const auto members = fill(*set, state.range(0), 255);
    if (!set->build().empty()) return state.SkipWithError("cannot build");
    for (auto _ : state) {
        for (const bool is_active : {true, false}) {
            for (const auto member : members) set->want(member, is_active);
            if (!set->commit().empty()) return state.SkipWithError("refused");
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(members.size()) * 2);
    (void)set->clear();
}
BENCHMARK(virtual_macs_elected)->Arg(1)->Arg(16)->Arg(256)->Unit(benchmark::kMillisecond);

void virtual_mac_tables_built(benchmark::State& state) {
    const std::string missing = bench::make_pairs(static_cast<int>(state.range(0)));
    auto set = missing.empty() ? VirtualMacSet::open() : arp::kernel::refused(EPERM, missing);
    if (!set || !set->probe()) return state.SkipWithError("missing: nftables with an egress hook");
    for (auto _ : state) {
        fill(*set, state.range(0), 255);
        if (!set->build().empty()) return state.SkipWithError("cannot build");
        if (!set->clear()) return state.SkipWithError("cannot clear");
    }
    state.SetItemsProcessed(state.iterations() * state.range(0) * 255);
}
BENCHMARK(virtual_mac_tables_built)->Arg(1)->Arg(16)->Arg(256)->Unit(benchmark::kMillisecond);

enum class Rules : std::int64_t { none, egress, egress_rewriting, ingress };

/// Frames in batches of 64 from t0 to r0, which drops them because they are for no MAC of its own. Argument: no rules; rules for 255 Active routers on
/// t0, and frames of another address, or of a virtual one; such rules on r0.
void frames_past_the_rules(benchmark::State& state) {
    const std::string missing = bench::make_pairs(1);
    auto set = missing.empty() ? VirtualMacSet::open() : arp::kernel::refused(EPERM, missing);
    if (!set || !set->probe()) return state.SkipWithError("missing: nftables with an egress hook");
    const Rules rules{state.range(0)};
    if (rules != Rules::none) {
        for (const auto member : fill(*set, 1, 255, rules == Rules::ingress ? "r" : "t")) set->want(member, true);
        if (!set->build().empty()) return state.SkipWithError("cannot build");
    }
    auto ports = bench::open_ports("t", 1);
    if (ports.empty()) return state.SkipWithError("missing: packet sockets");
    std::array<std::uint8_t, 60> frame{};
    const std::array<std::uint8_t, 14> ethernet{0x02, 0, 0, 0, 0, 0x99, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00};
    std::copy(ethernet.begin(), ethernet.end(), frame.begin());
    frame[14] = 0x45;
    frame[17] = 46;
    frame[22] = 64;
    frame[23] = 17;
    const IpAddress source = rules == Rules::egress_rewriting ? ipv4(10, 0, 0, 7) : ipv4(10, 9, 0, 7);
    std::copy_n(source.octets.begin(), 4, frame.begin() + 26);
    constexpr unsigned batch_size = 64;
    iovec bytes{frame.data(), frame.size()};
    std::array<mmsghdr, batch_size> messages{};
    for (mmsghdr& message : messages) {
        message.msg_hdr.msg_iov = &bytes;
        message.msg_hdr.msg_iovlen = 1;
    }
    for (auto _ : state) {
        if (::sendmmsg(ports[0]->packet().transmit_fd(), messages.data(), batch_size, 0) != static_cast<int>(batch_size)) {
            return state.SkipWithError("not sent");
        }
    }
    state.SetItemsProcessed(state.iterations() * batch_size);
    (void)set->clear();
}
BENCHMARK(frames_past_the_rules)
    ->Arg(static_cast<std::int64_t>(Rules::none))
    ->Arg(static_cast<std::int64_t>(Rules::egress))
    ->Arg(static_cast<std::int64_t>(Rules::egress_rewriting))
    ->Arg(static_cast<std::int64_t>(Rules::ingress));

/// no_accept: argument: addresses, blocked and freed again in transactions of 512.
void addresses_blocked(benchmark::State& state) {
    const std::string missing = bench::make_pairs(1);   // a network namespace of our own
    auto filter = missing.empty() ? arp::kernel::AcceptFilter::open() : arp::kernel::refused(EPERM, missing);
    if (!filter || !filter->build({})) return state.SkipWithError("missing: nftables tables with an owner (Linux 5.12)");
    const auto address_of = [](std::int64_t i) {
        return ipv4(10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
    };
    for (auto _ : state) {
        for (const bool is_blocked : {true, false}) {
            for (std::int64_t i = 0; i < state.range(0); ++i) {
                if (is_blocked) filter->block({address_of(i)});
                else filter->unblock({address_of(i)});
                if (i % 512 == 511 && !filter->commit()) return state.SkipWithError("refused");
            }
            if (!filter->commit()) return state.SkipWithError("refused");
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0) * 2);
}
BENCHMARK(addresses_blocked)->Arg(4080)->Arg(65280)->Unit(benchmark::kMillisecond);

}  // namespace
