#pragma once

#include <linux/netlink.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "packet/address.h"

namespace vigil::netlink {

/// Room for one request on the stack; the longest of ours (a macvlan) has below 200 bytes.
struct RequestRoom {
    alignas(nlmsghdr) std::array<std::byte, 1024> bytes;
};

/// Writes one netlink request into room that the caller owns (4-byte aligned). Nothing is written beyond the room: when an
/// attribute does not fit, fits() turns false and stays so, and the message must not be sent.
class MessageWriter {
public:
    MessageWriter(std::span<std::byte> room, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence);
    /// A copy of a message that was written before, with another sequence number.
    MessageWriter(std::span<std::byte> room, std::span<const std::byte> message, std::uint32_t sequence);

    /// The fixed part after the netlink header (ifinfomsg, ifaddrmsg, rtmsg), zeroed. Call once, before any attribute;
    /// nullptr when there is no room.
    template <typename Header>
    Header* put_header() {
        return static_cast<Header*>(put_fixed(sizeof(Header)));
    }
    void put(std::uint16_t type, std::span<const std::uint8_t> octets);
    void put_u8(std::uint16_t type, std::uint8_t value);
    void put_u16(std::uint16_t type, std::uint16_t value);
    void put_u32(std::uint16_t type, std::uint32_t value);
    void put_u64(std::uint16_t type, std::uint64_t value);
    /// With the terminating NUL.
    void put_text(std::uint16_t type, std::string_view text);
    void put_address(std::uint16_t type, const IpAddress& address) { put(type, address.bytes()); }
    void put_mac(std::uint16_t type, const MacAddress& mac) { put(type, mac.octets); }
    void begin_nested(std::uint16_t type);
    /// A structure that is no attribute, zeroed, inside an attribute that holds such; nullptr when there is no room.
    template <typename Structure>
    Structure* put_structure() {
        return static_cast<Structure*>(put_fixed(sizeof(Structure)));
    }
    /// Octets written so far, header included.
    std::size_t size() const { return header_ == nullptr ? 0 : header_->nlmsg_len; }
    /// Closes the innermost open attribute.
    void end_nested();

    bool fits() const { return fits_; }
    std::uint32_t sequence() const { return header_ == nullptr ? 0 : header_->nlmsg_seq; }
    void add_flags(std::uint16_t flags);
    /// The whole message as sent, padded to 4 bytes; empty when it did not fit.
    std::span<const std::byte> bytes() const;

private:
    void* put_fixed(std::size_t size);

    nlmsghdr* header_ = nullptr;
    std::size_t room_ = 0;
    std::array<nlattr*, 4> nested_{};
    std::size_t depth_ = 0;
    bool fits_ = true;
};

/// The attributes of one received message or nested attribute by type. Lengths are checked once here; each getter checks
/// that the value has the size it promises, so that a short or missing attribute is nullopt, never a read beyond it.
class AttributeTable {
public:
    static constexpr std::size_t capacity = 80;  ///< above IFLA_MAX, IFA_MAX, RTA_MAX of Linux 6.18; higher types are ignored

    /// The attributes behind a fixed header of `header_bytes`; empty when the message is shorter.
    AttributeTable(const nlmsghdr& message, std::size_t header_bytes);
    /// The attributes inside `parent`; empty when it is null.
    explicit AttributeTable(const nlattr* parent);

    bool has(std::uint16_t type) const { return find(type) != nullptr; }
    const nlattr* find(std::uint16_t type) const { return type < capacity ? attributes_[type] : nullptr; }
    std::optional<std::uint8_t> u8(std::uint16_t type) const;
    std::optional<std::uint16_t> u16(std::uint16_t type) const;
    std::optional<std::uint32_t> u32(std::uint16_t type) const;
    std::optional<std::uint64_t> u64(std::uint16_t type) const;
    /// Without the NUL; a value that is not terminated is nullopt. Valid as long as the message.
    std::optional<std::string_view> text(std::uint16_t type) const;
    /// Exactly 4 octets for IPv4, 16 for IPv6; otherwise nullopt.
    std::optional<IpAddress> address(std::uint16_t type, Family family) const;
    /// Exactly 6 octets; otherwise nullopt.
    std::optional<MacAddress> mac(std::uint16_t type) const;

private:
    void read(const nlattr* first, std::size_t size);

    std::array<const nlattr*, capacity> attributes_{};
};

/// The fixed header of a message, or nullptr when the message is too short to hold it.
template <typename Header>
const Header* read_header(const nlmsghdr& message) {
    if (message.nlmsg_len < NLMSG_HDRLEN + sizeof(Header)) return nullptr;
    return reinterpret_cast<const Header*>(reinterpret_cast<const std::byte*>(&message) + NLMSG_HDRLEN);
}

/// AF_INET or AF_INET6.
int address_family(Family family);
/// nullopt for anything but AF_INET and AF_INET6.
std::optional<Family> read_family(int address_family);

}  // namespace vigil::netlink
