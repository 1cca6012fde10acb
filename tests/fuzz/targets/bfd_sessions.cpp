#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/bfd/session_table.h"
#include "engine/bfd/state_message.h"
#include "tests/fuzz/check.h"

// What anybody can send to port 3784 and 4784, with any TTL, at any time: no packet of ours breaks a rule of RFC 5880, time never stands still, and a
// session is only touched by its neighbor. The input is a list of datagrams: how long to wait, where from, what port and TTL, a length, the octets; the
// first octet of a datagram may ask to have our discriminator put in, which nobody guesses.

using namespace vigil;
using namespace vigil::bfd;

namespace {

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
    bool is_empty() const { return rest_.empty(); }
    std::uint8_t next() {
        if (rest_.empty()) return 0;
        const std::uint8_t octet = rest_.front();
        rest_ = rest_.subspan(1);
        return octet;
    }
    packet::Bytes take(std::size_t count) {
        const packet::Bytes taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    packet::Bytes rest_;
};

SessionSpec spec_of(Input& input) {
    SessionSpec spec;
    const std::uint8_t choice = input.next();
    spec.settings.multiplier = static_cast<std::uint8_t>(choice % 7 + 1);
    spec.settings.min_tx = Microseconds{1000u << (input.next() % 12)};
    spec.settings.min_rx = Microseconds{1000u << (input.next() % 12)};
    spec.settings.is_passive = (choice & 0x40) != 0;
    spec.is_multihop = (choice & 0x80) != 0;
    spec.max_hops = input.next();
    return spec;
}

void check(const SessionTable& table, const Outcome& outcome) {
    for (const Transmission& transmission : outcome.transmissions) {
        const auto sent = packet::read_bfd_control(transmission.bytes);
        FUZZ_CHECK(sent.has_value());
        FUZZ_CHECK(!(sent->poll && sent->final));
        FUZZ_CHECK(!sent->demand);
        FUZZ_CHECK(sent->state == State::up || sent->desired_min_tx >= 1'000'000);
        FUZZ_CHECK(sent->my_discriminator == table.session(transmission.session).local_discriminator);
    }
    for (const StateChange& change : outcome.changes) FUZZ_CHECK(change.from != change.to);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)read_message({data, size});
    Input input(data, size);
    SessionTable table(1);
    Outcome outcome;
    Instant now{1'000'000'000};
    for (std::uint8_t i = 0; i < 2; ++i) {
        SessionSpec spec = spec_of(input);
        spec.neighbor = ipv4(192, 0, 2, i);
        FUZZ_CHECK(table.add(spec, now, outcome).has_value());
    }
    while (!input.is_empty()) {
        const std::uint8_t head = input.next();
        now = now + Nanoseconds{std::int64_t{1} << (head & 0x1f)};
        const std::uint8_t from = input.next();
        Datagram datagram{.payload = {}, .source = ipv4(192, 0, 2, from & 3), .destination = ipv4(192, 0, 2, 9), .ttl = input.next(), .is_multihop = (from & 0x80) != 0,
                          .arrival = now - Nanoseconds{from}};
        const packet::Bytes taken = input.take(input.next() % 64);
        std::array<std::uint8_t, 64> octets{};
        std::copy(taken.begin(), taken.end(), octets.begin());
        if ((head & 0x40) != 0) {
            packet::ByteWriter writer(std::span<std::uint8_t>(octets).subspan(8, 4));
            writer.u32(table.session(from & 1).local_discriminator);
        }
        datagram.payload = {octets.data(), taken.size()};
        const std::uint64_t received[] = {table.counters(0).received, table.counters(1).received};
        table.on_datagram(datagram, now, outcome);
        for (std::uint8_t i = 0; i < 2; ++i) FUZZ_CHECK(table.counters(i).received == received[i] || datagram.source == table.spec(i).neighbor);
        if ((head & 0x80) != 0) table.on_pause(now);
        table.on_time(now, outcome);
        FUZZ_CHECK(table.next_deadline() > now);
        check(table, outcome);
        outcome.clear();
    }
    return 0;
}
