#include <array>
#include <cstdint>
#include <vector>

#include "engine/core/hmac_table.h"
#include "packet/frame_template.h"
#include "tests/fuzz/check.h"

// auth_hmac. First any octets are signed as a message: the signature is valid, and no longer so when any bit of message or trailer but those of the checksum
// has changed. What is left of the input is a list of sequence numbers, which a table takes when, and only when, they grow; and last the input itself
// is put behind a message as its trailer, which nobody may accept.

namespace {

using namespace vigil;
using namespace vigil::packet;

std::uint64_t read_u64(ByteReader& reader) {
    const std::uint64_t high = reader.u32();
    return high << 32 | reader.u32();
}

const std::array<std::uint8_t, 32> secret{'a', ' ', 'k', 'e', 'y'};

void sign_and_change(ByteReader& input) {
    const IpAddress source = input.u8() % 2 == 0 ? ipv4(10, 0, 0, 1) : *read_address("fe80::1");
    const std::uint8_t key_id = input.u8();
    const HmacSequence sequence{read_u64(input)};
    const std::size_t bit = input.u16();
    const Bytes message = input.take(8 + input.u8() % 64);
    if (message.empty()) return;
    const HmacKey key(secret);
    const HmacTrailer::Octets trailer = make_hmac_trailer({message, source}, key_id, sequence, key);
    FUZZ_CHECK(is_hmac_valid({message, source}, trailer, key));
    FUZZ_CHECK(read_hmac_trailer(trailer).is_well_formed());
    FUZZ_CHECK(read_hmac_trailer(trailer).sequence == sequence);
    std::vector<std::uint8_t> both(message.begin(), message.end());
    both.insert(both.end(), trailer.begin(), trailer.end());
    const std::size_t place = bit / 8 % both.size();
    both[place] ^= static_cast<std::uint8_t>(1u << bit % 8);
    const bool is_valid = is_hmac_valid({Bytes(both).first(message.size()), source}, Bytes(both).last(HmacTrailer::size), key);
    FUZZ_CHECK(is_valid == (place == 6 || place == 7));
}

void check_numbers(ByteReader& input) {
    engine::HmacSpec spec;
    spec.keys = {{1, {secret.begin(), secret.end()}}};
    spec.checks_time = false;
    engine::HmacTable table;
    table.reserve({spec}, 1, engine::HmacTable::senders_for(0));
    const auto entry = table.add_user(0, 0);
    const IpAddress address = ipv4(10, 0, 0, 100);
    const AdvertisementSpec advert{.version = VrrpVersion::v3, .source = ipv4(10, 0, 0, 2), .destination = vrrp_group_ipv4,
                                   .source_mac = {}, .destination_mac = {}, .addresses = std::span(&address, 1), .has_hmac_trailer = true};
    std::vector<std::uint8_t> buffer(frame_size(advert));
    FrameTemplate frame = *build_advertisement_frame(advert, buffer);
    std::optional<HmacSequence> highest;
    for (int n = 0; n < 64 && input.rest().size() >= 8; ++n) {
        const HmacSequence sequence{read_u64(input)};
        frame.set_trailer(make_hmac_trailer(frame.signed_message(), 1, sequence, HmacKey(secret)));
        const auto received = read_frame(frame.bytes());
        FUZZ_CHECK(received.has_value());
        const bool is_accepted = table.check(entry, *received, Nanoseconds{0}).error == ReceiveError::count_;
        FUZZ_CHECK(is_accepted == (!highest || is_after(sequence, *highest)));
        if (is_accepted) highest = sequence;
    }
}

/// Nobody who lacks the key gets anything accepted but what has no trailer at all.
void check_forgery(Bytes input) {
    engine::HmacSpec spec;
    spec.keys = {{1, std::vector<std::uint8_t>(32, 0x5a)}};
    spec.checks_time = false;
    engine::HmacTable table;
    table.reserve({spec}, 1, engine::HmacTable::senders_for(0));
    const auto entry = table.add_user(0, 0);
    const IpAddress address = ipv4(10, 0, 0, 100);
    const AdvertisementSpec advert{.version = VrrpVersion::v3, .source = ipv4(10, 0, 0, 2), .destination = vrrp_group_ipv4,
                                   .source_mac = {}, .destination_mac = {}, .addresses = std::span(&address, 1), .has_hmac_trailer = true};
    std::vector<std::uint8_t> buffer(frame_size(advert));
    FrameTemplate frame = *build_advertisement_frame(advert, buffer);
    HmacTrailer::Octets trailer{};
    std::copy_n(input.begin(), std::min(input.size(), trailer.size()), trailer.begin());
    frame.set_trailer(trailer);
    const auto received = read_frame(frame.bytes());
    FUZZ_CHECK(received.has_value());
    FUZZ_CHECK(table.check(entry, *received, Nanoseconds{0}).error != ReceiveError::count_);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader input({data, size});
    sign_and_change(input);
    check_numbers(input);
    check_forgery({data, size});
    return 0;
}
