// Netlink messages, written and read through libmnl.
//
// Writing: libmnl's "check" variants compare with the room left in a buffer, and MessageWriter turns their refusal into a
// sticky flag, so that call sites stay flat: put everything, ask fits() once. Many messages can be written one behind the
// other into one buffer and sent as one datagram; the kernel walks them by their lengths.
//
// Reading: what arrives is treated as hostile although it comes from the kernel: a namespace may be driven by user-mode
// networking stacks (gVisor) whose netlink is younger than Linux's. The attribute chain is walked with mnl_attr_ok against
// the real end of the message, and each value is measured again by the getter that interprets it. Unknown and repeated
// types are harmless: unknown ones are skipped, of repeated ones the last counts.

#include "arp/netlink/message.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace vigil::netlink {

namespace {

constexpr std::size_t header_size = NLMSG_HDRLEN;

/// Netlink pads everything to 4 bytes. libmnl's macro mixes signs.
constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

}  // namespace

MessageWriter::MessageWriter(std::span<std::byte> room, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence)
    : room_(room.size()) {
    if (room.size() < header_size) {
        fits_ = false;
        return;
    }
    header_ = mnl_nlmsg_put_header(room.data());
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header_->nlmsg_seq = sequence;
}

MessageWriter::MessageWriter(std::span<std::byte> room, std::span<const std::byte> message, std::uint32_t sequence) : room_(room.size()) {
    if (room.size() < message.size() || message.size() < header_size) {
        fits_ = false;
        return;
    }
    std::memcpy(room.data(), message.data(), message.size());
    header_ = reinterpret_cast<nlmsghdr*>(room.data());
    header_->nlmsg_seq = sequence;
}

void* MessageWriter::put_fixed(std::size_t size) {
    if (!fits_ || header_->nlmsg_len + padded(size) > room_) {
        fits_ = false;
        return nullptr;
    }
    return mnl_nlmsg_put_extra_header(header_, size);
}

void MessageWriter::put(std::uint16_t type, std::span<const std::uint8_t> octets) {
    fits_ = fits_ && mnl_attr_put_check(header_, room_, type, octets.size(), octets.data());
    if (!fits_) return;
    // libmnl leaves in the padding what the room held before.
    const std::size_t padding = padded(octets.size()) - octets.size();
    auto* const end = reinterpret_cast<std::byte*>(header_) + header_->nlmsg_len;
    std::fill(end - padding, end, std::byte{0});
}

void MessageWriter::put_u8(std::uint16_t type, std::uint8_t value) { put(type, {&value, 1}); }

void MessageWriter::put_u16(std::uint16_t type, std::uint16_t value) {
    std::array<std::uint8_t, sizeof value> octets{};
    std::memcpy(octets.data(), &value, sizeof value);
    put(type, octets);
}

void MessageWriter::put_u64(std::uint16_t type, std::uint64_t value) {
    fits_ = fits_ && mnl_attr_put_u64_check(header_, room_, type, value);
}

void MessageWriter::put_u32(std::uint16_t type, std::uint32_t value) {
    fits_ = fits_ && mnl_attr_put_u32_check(header_, room_, type, value);
}

void MessageWriter::put_text(std::uint16_t type, std::string_view text) {
    std::array<std::uint8_t, 256> terminated{};
    if (text.size() >= terminated.size()) {
        fits_ = false;
        return;
    }
    std::copy(text.begin(), text.end(), terminated.begin());
    put(type, {terminated.data(), text.size() + 1});
}

void MessageWriter::begin_nested(std::uint16_t type) {
    nlattr* const start = fits_ && depth_ < nested_.size() ? mnl_attr_nest_start_check(header_, room_, type) : nullptr;
    fits_ = start != nullptr;
    if (fits_) nested_[depth_++] = start;
}

void MessageWriter::end_nested() {
    if (fits_ && depth_ > 0) mnl_attr_nest_end(header_, nested_[--depth_]);
}

void MessageWriter::add_flags(std::uint16_t flags) {
    if (header_ != nullptr) header_->nlmsg_flags = static_cast<std::uint16_t>(header_->nlmsg_flags | flags);
}

std::span<const std::byte> MessageWriter::bytes() const {
    if (!fits_) return {};
    return {reinterpret_cast<const std::byte*>(header_), padded(header_->nlmsg_len)};
}

AttributeTable::AttributeTable(const nlmsghdr& message, std::size_t header_bytes) {
    const std::size_t start = header_size + padded(header_bytes);
    if (message.nlmsg_len < start) return;
    const auto* first = reinterpret_cast<const std::byte*>(&message) + start;
    read(reinterpret_cast<const nlattr*>(first), message.nlmsg_len - start);
}

AttributeTable::AttributeTable(const nlattr* parent) {
    if (parent == nullptr) return;
    read(static_cast<const nlattr*>(mnl_attr_get_payload(parent)), mnl_attr_get_payload_len(parent));
}

void AttributeTable::read(const nlattr* first, std::size_t size) {
    const auto* const end = reinterpret_cast<const std::byte*>(first) + size;
    const auto left = [end](const nlattr* at) { return static_cast<int>(end - reinterpret_cast<const std::byte*>(at)); };
    for (const nlattr* at = first; left(at) > 0 && mnl_attr_ok(at, left(at)); at = mnl_attr_next(at)) {
        const std::uint16_t type = mnl_attr_get_type(at);
        if (type < capacity) attributes_[type] = at;
    }
}

std::optional<std::uint8_t> AttributeTable::u8(std::uint16_t type) const {
    const nlattr* at = find(type);
    if (at == nullptr || mnl_attr_validate(at, MNL_TYPE_U8) < 0) return std::nullopt;
    return mnl_attr_get_u8(at);
}

std::optional<std::uint16_t> AttributeTable::u16(std::uint16_t type) const {
    const nlattr* at = find(type);
    if (at == nullptr || mnl_attr_validate(at, MNL_TYPE_U16) < 0) return std::nullopt;
    return mnl_attr_get_u16(at);
}

std::optional<std::uint64_t> AttributeTable::u64(std::uint16_t type) const {
    const nlattr* at = find(type);
    if (at == nullptr || mnl_attr_validate(at, MNL_TYPE_U64) < 0) return std::nullopt;
    return mnl_attr_get_u64(at);
}

std::optional<std::uint32_t> AttributeTable::u32(std::uint16_t type) const {
    const nlattr* at = find(type);
    if (at == nullptr || mnl_attr_validate(at, MNL_TYPE_U32) < 0) return std::nullopt;
    return mnl_attr_get_u32(at);
}

std::optional<std::string_view> AttributeTable::text(std::uint16_t type) const {
    const nlattr* at = find(type);
    if (at == nullptr || mnl_attr_validate(at, MNL_TYPE_NUL_STRING) < 0) return std::nullopt;
    return std::string_view(mnl_attr_get_str(at));
}

std::optional<IpAddress> AttributeTable::address(std::uint16_t type, Family family) const {
    const nlattr* at = find(type);
    const std::size_t size = family == Family::ipv4 ? 4 : 16;
    if (at == nullptr || mnl_attr_get_payload_len(at) != size) return std::nullopt;
    return make_address({static_cast<const std::uint8_t*>(mnl_attr_get_payload(at)), size});
}

std::optional<MacAddress> AttributeTable::mac(std::uint16_t type) const {
    const nlattr* at = find(type);
    MacAddress mac;
    if (at == nullptr || mnl_attr_get_payload_len(at) != mac.octets.size()) return std::nullopt;
    std::memcpy(mac.octets.data(), mnl_attr_get_payload(at), mac.octets.size());
    return mac;
}

int address_family(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

std::optional<Family> read_family(int address_family) {
    if (address_family == AF_INET) return Family::ipv4;
    if (address_family == AF_INET6) return Family::ipv6;
    return std::nullopt;
}

}  // namespace vigil::netlink
