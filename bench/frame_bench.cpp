// Building, patching and reading one VRRPv2 advertisement (1 address, no authentication), beside libnet's builder in the same run. libnet needs root, because
// it opens a socket; without it those lines say so.

#include <benchmark/benchmark.h>
#include <libnet.h>

#include <array>
#include <memory>

#include "arp/announcement_frame.h"
#include "packet/frame.h"
#include "packet/frame_template.h"

namespace {

using namespace vigil;

const IpAddress address = ipv4(192, 0, 2, 100);

packet::AdvertisementSpec spec_of(VrrpVersion version) {
    packet::AdvertisementSpec spec;
    spec.version = version;
    spec.vrid = Vrid{51};
    spec.source = ipv4(192, 0, 2, 1);
    spec.destination = vrrp_group_ipv4;
    spec.source_mac = virtual_mac(Family::ipv4, spec.vrid);
    spec.destination_mac = multicast_mac(vrrp_group_ipv4);
    spec.addresses = {&address, 1};
    return spec;
}

void Build(benchmark::State& state) {
    const auto spec = spec_of(VrrpVersion::v2);
    std::array<std::uint8_t, 128> buffer;
    for (auto _ : state) benchmark::DoNotOptimize(packet::build_advertisement_frame(spec, buffer));
}
BENCHMARK(Build);

void PatchPriority(benchmark::State& state) {
    std::array<std::uint8_t, 128> buffer;
    auto frame = *packet::build_advertisement_frame(spec_of(VrrpVersion::v2), buffer);
    std::uint8_t priority = 0;
    for (auto _ : state) {
        frame.set_priority(Priority{++priority});
        benchmark::ClobberMemory();
    }
}
BENCHMARK(PatchPriority);

void SealAh(benchmark::State& state) {
    auto spec = spec_of(VrrpVersion::v2);
    spec.auth_type = packet::AuthType::ah;
    std::array<std::uint8_t, 128> buffer;
    auto frame = *packet::build_advertisement_frame(spec, buffer);
    std::uint32_t sequence = 0;
    for (auto _ : state) {
        frame.seal(++sequence, spec.auth_key);
        benchmark::ClobberMemory();
    }
}
BENCHMARK(SealAh);

/// With the trailer of auth_hmac: HMAC-SHA256, once for all peers of a router.
void Sign(benchmark::State& state) {
    auto spec = spec_of(VrrpVersion::v3);
    spec.has_hmac_trailer = true;
    std::array<std::uint8_t, 128> buffer;
    auto frame = *packet::build_advertisement_frame(spec, buffer);
    const packet::HmacKey key(std::array<std::uint8_t, 32>{1, 2, 3});
    packet::HmacSequence sequence{};
    for (auto _ : state) {
        sequence = packet::successor(sequence);
        frame.set_trailer(packet::make_hmac_trailer(frame.signed_message(), 1, sequence, key));
        benchmark::ClobberMemory();
    }
}
BENCHMARK(Sign);

void Read(benchmark::State& state) {
    std::array<std::uint8_t, 128> buffer;
    const auto frame = *packet::build_advertisement_frame(spec_of(state.range(0) == 2 ? VrrpVersion::v2 : VrrpVersion::v3), buffer);
    for (auto _ : state) benchmark::DoNotOptimize(packet::read_frame(frame.bytes()));
}
BENCHMARK(Read)->Arg(2)->Arg(3);

void GratuitousArp(benchmark::State& state) {
    const MacAddress mac = virtual_mac(Family::ipv4, Vrid{51});
    for (auto _ : state) benchmark::DoNotOptimize(arp::gratuitous_arp(address, mac, arp::GratuitousForm::request));
}
BENCHMARK(GratuitousArp);

struct CloseLibnet {
    void operator()(libnet_t* l) const { libnet_destroy(l); }
};

/// The same frame by libnet: with new tags (a build) or into existing ones (its way to patch).
class LibnetBuilder {
public:
    LibnetBuilder() { context_.reset(libnet_init(LIBNET_LINK_ADV, "lo", error_.data())); }
    bool is_ready() const { return context_ != nullptr; }
    const char* error() const { return error_.data(); }

    bool build(std::uint8_t priority) {
        libnet_t* l = context_.get();
        std::array<std::uint8_t, 12> payload{192, 0, 2, 100};
        vrrp_ = libnet_build_vrrp(LIBNET_VRRP_VERSION_02, LIBNET_VRRP_TYPE_ADVERT, 51, priority, 1, LIBNET_VRRP_AUTH_NONE, 1, 0, payload.data(),
                                  payload.size(), l, vrrp_);
        if (ip_ == 0) {
            ip_ = libnet_build_ipv4(20 + 8 + 12, 0xc0, 0, 0x4000, 255, 112, 0, libnet_name2addr4(l, const_cast<char*>("192.0.2.1"), 0),
                                    libnet_name2addr4(l, const_cast<char*>("224.0.0.18"), 0), nullptr, 0, l, ip_);
            const std::array<std::uint8_t, 6> to{1, 0, 0x5e, 0, 0, 0x12}, from{0, 0, 0x5e, 0, 1, 51};
            libnet_build_ethernet(to.data(), from.data(), 0x0800, nullptr, 0, l, 0);
        }
        std::uint8_t* packet = nullptr;
        std::uint32_t size = 0;
        if (libnet_adv_cull_packet(l, &packet, &size) < 0) return false;
        benchmark::DoNotOptimize(packet);
        libnet_adv_free_packet(l, packet);
        return true;
    }
    void clear() {
        libnet_clear_packet(context_.get());
        vrrp_ = ip_ = 0;
    }

private:
    std::array<char, LIBNET_ERRBUF_SIZE> error_{};
    std::unique_ptr<libnet_t, CloseLibnet> context_;
    libnet_ptag_t vrrp_ = 0;
    libnet_ptag_t ip_ = 0;
};

void LibnetBuild(benchmark::State& state) {
    LibnetBuilder builder;
    if (!builder.is_ready()) return state.SkipWithError(builder.error());
    for (auto _ : state) {
        builder.clear();
        if (!builder.build(100)) return state.SkipWithError("libnet_adv_cull_packet failed");
    }
}
BENCHMARK(LibnetBuild);

void LibnetPatchPriority(benchmark::State& state) {
    LibnetBuilder builder;
    if (!builder.is_ready()) return state.SkipWithError(builder.error());
    std::uint8_t priority = 0;
    for (auto _ : state) {
        if (!builder.build(++priority)) return state.SkipWithError("libnet_adv_cull_packet failed");
    }
}
BENCHMARK(LibnetPatchPriority);

}  // namespace
