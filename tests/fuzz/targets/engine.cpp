#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/virtual_host.h"
#include "packet/bytes.h"
#include "tests/fuzz/check.h"

// The engine under any sequence of frames, commands and times. For every input: what it sends is read back by our own reader, and the state that
// the events tell is the state of the records.
//
// The input is a list of operations: one octet says which, the next two how much time passes before it.

namespace {

using namespace vigil;
using engine::Command;

engine::RouterSpec router(Family family, VrrpVersion version, std::uint8_t vrid, packet::AuthType auth, bool is_unicast) {
    engine::RouterSpec spec;
    spec.name = "router";
    spec.link = engine::LinkIndex{0};
    spec.family = family;
    spec.version = version;
    spec.vrid = Vrid{vrid};
    spec.primary_address = family == Family::ipv4 ? ipv4(10, 0, 0, 1) : *read_address("fe80::1");
    spec.source_mac = virtual_mac(family, spec.vrid);
    spec.group = family == Family::ipv4 ? vrrp_group_ipv4 : vrrp_group_ipv6;
    if (is_unicast) spec.peers = {{.address = ipv4(10, 0, 0, 2)}, {.address = ipv4(10, 0, 0, 3), .min_ttl = 255}};
    spec.advertised = {family == Family::ipv4 ? ipv4(10, 0, 0, 100) : *read_address("fe80::100")};
    spec.announced = {{spec.advertised[0], engine::LinkIndex{0}, spec.source_mac}};
    spec.auth_type = auth;
    if (auth != packet::AuthType::none) spec.auth_key = {'s', 'e', 'c', 'r', 'e', 't'};
    spec.preempt_delay_ms = vrid == 3 ? 500 : 0;
    return spec;
}

engine::EngineSpec spec() {
    engine::EngineSpec spec;
    spec.links = {{.name = "eth0", .mac = {{2, 0, 0, 0, 0, 1}}, .is_up = true}};
    using packet::AuthType;
    spec.routers = {router(Family::ipv4, VrrpVersion::v2, 1, AuthType::none, false),
                    router(Family::ipv4, VrrpVersion::v2, 2, AuthType::simple_password, false),
                    router(Family::ipv4, VrrpVersion::v3, 3, AuthType::none, false),
                    router(Family::ipv6, VrrpVersion::v3, 3, AuthType::none, false),
                    router(Family::ipv4, VrrpVersion::v2, 4, AuthType::ah, false),
                    router(Family::ipv4, VrrpVersion::v3, 5, AuthType::none, true),
                    router(Family::ipv4, VrrpVersion::v3, 6, AuthType::none, false),
                    router(Family::ipv6, VrrpVersion::v3, 6, AuthType::none, false)};
    spec.hmacs = {{.keys = {{1, std::vector<std::uint8_t>(32, 'k')}}, .mode = engine::HmacMode::enforce},
                  {.keys = {{1, std::vector<std::uint8_t>(32, 'k')}}, .mode = engine::HmacMode::permissive, .checks_time = false}};
    spec.hmac_users = {{engine::RouterIndex{6}, 0}, {engine::RouterIndex{7}, 1}};
    return spec;
}

class Run {
public:
    Run() : host_(*engine::VirtualHost::make(spec(), Instant{1'000'000'000})), shadow_(host_.engine().router_count()) {
        host_.on_event([this](const engine::Event& event) {
            if (event.kind == engine::Event::Kind::transition || event.kind == engine::Event::Kind::state_report) {
                shadow_[to_number(event.router)] = event.to;
            }
        });
        host_.on_sent([](Instant, const engine::TxFrame& frame) {
            if (frame.path == engine::TxPath::route) return;
            const auto read = packet::read_frame(frame.bytes());
            FUZZ_CHECK(read || read.error() == packet::ReceiveError::not_ip || read.error() == packet::ReceiveError::not_vrrp);
        });
        host_.command(engine::wall_clock_command(std::chrono::seconds{1'763'000'000}), host_.now());
        host_.command({.kind = Command::Kind::start}, host_.now());
    }

    void step(packet::ByteReader& input) {
        const std::uint8_t operation = input.u8();
        now_ = now_ + std::chrono::milliseconds{input.u16() % 5000};
        if (operation % 4 == 3) {
            command(input);
        } else if (operation % 4 == 2) {
            host_.advance(now_);
        } else {
            const packet::Bytes frame = input.take(std::min<std::size_t>(input.u8(), input.rest().size()));
            const engine::RxFrame rx{frame, now_, engine::LinkIndex{0}, operation == 4};
            host_.advance(now_);
            host_.receive(std::span(&rx, 1), now_);
        }
        for (std::uint32_t i = 0; i < shadow_.size(); ++i) FUZZ_CHECK(host_.engine().router(engine::RouterIndex{i}).state == shadow_[i]);
    }

private:
    void command(packet::ByteReader& input) {
        Command command;
        command.kind = Command::Kind{static_cast<std::uint8_t>(input.u8() % (static_cast<unsigned>(Command::Kind::frames_lost) + 1))};
        command.fault = engine::Fault{input.u8()};
        command.value = input.u8();
        command.link = engine::LinkIndex{input.u8()};
        const std::uint8_t index = input.u8();
        command.router = index == 255 ? engine::RouterIndex::none : engine::RouterIndex{index};
        for (auto& octet : command.address) octet = input.u8();
        host_.command(command, now_);
    }

    Instant now_{1'000'000'000};
    engine::VirtualHost host_;
    std::vector<engine::State> shadow_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    packet::ByteReader input({data, size});
    Run run;
    while (!input.rest().empty()) run.step(input);
    return 0;
}
