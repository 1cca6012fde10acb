// Policy rules as rtnetlink has them. Deleting compares what is in the request with each rule in turn (fib_nl_delrule()) and takes the first that fits, so a
// request to delete has all that the one to add had. The kernel adds a rule that is there a second time, unless asked not to (NLM_F_EXCL).

#include <endian.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <cstring>

#include "arp/kernel/route_codec.h"
#include "arp/kernel/netlink.h"

namespace vigil::arp::kernel {

namespace {

constexpr std::size_t longest_request_bytes = 512;

template <typename Structure>
void put_structure(MessageWriter& message, std::uint16_t type, const Structure& value) {
    std::array<std::uint8_t, sizeof value> octets{};
    std::memcpy(octets.data(), &value, sizeof value);
    message.put(type, octets);
}

void put_ports(MessageWriter& message, std::uint16_t type, const std::optional<std::pair<std::uint16_t, std::uint16_t>>& ports) {
    if (ports) put_structure(message, type, fib_rule_port_range{ports->first, ports->second});
}

void put_prefix(MessageWriter& message, std::uint16_t type, const std::optional<PrefixSpec>& prefix) {
    if (prefix && prefix->length != 0) message.put_address(type, prefix->address);
}

void put_matches(MessageWriter& message, const RuleSpec& spec) {
    put_prefix(message, FRA_SRC, spec.from);
    put_prefix(message, FRA_DST, spec.to);
    if (!spec.input_device.empty()) message.put_text(FRA_IIFNAME, spec.input_device);
    if (!spec.output_device.empty()) message.put_text(FRA_OIFNAME, spec.output_device);
    if (spec.mark) {
        message.put_u32(FRA_FWMARK, *spec.mark);
        message.put_u32(FRA_FWMASK, spec.mark_mask);
    }
    if (spec.user_ids) put_structure(message, FRA_UID_RANGE, fib_rule_uid_range{spec.user_ids->first, spec.user_ids->second});
    if (spec.ip_protocol) message.put_u8(FRA_IP_PROTO, *spec.ip_protocol);
    put_ports(message, FRA_SPORT_RANGE, spec.source_ports);
    put_ports(message, FRA_DPORT_RANGE, spec.destination_ports);
    if (spec.tunnel_id) message.put_u64(FRA_TUN_ID, htobe64(*spec.tunnel_id));
}

EncodedRequest write_rule(const RuleSpec& spec, std::uint16_t type, std::uint16_t flags) {
    EncodedRequest room(longest_request_bytes);
    MessageWriter message(room, type, flags, 0);
    auto* const header = message.put_header<fib_rule_hdr>();
    header->family = static_cast<std::uint8_t>(address_family(spec.family));
    header->src_len = spec.from ? spec.from->length : std::uint8_t{0};
    header->dst_len = spec.to ? spec.to->length : std::uint8_t{0};
    header->tos = spec.tos;
    header->table = static_cast<std::uint8_t>(spec.table < 256 ? spec.table : RT_TABLE_UNSPEC);
    header->action = spec.action;
    header->flags = spec.is_inverted ? FIB_RULE_INVERT : 0;
    message.put_u32(FRA_PRIORITY, spec.priority);
    message.put_u8(FRA_PROTOCOL, spec.protocol);
    if (spec.table != 0) message.put_u32(FRA_TABLE, spec.table);
    if (spec.action == FR_ACT_GOTO) message.put_u32(FRA_GOTO, spec.go_to);
    if (spec.is_l3mdev) message.put_u8(FRA_L3MDEV, 1);
    put_matches(message, spec);
    if (spec.suppressed_prefix_length) message.put_u32(FRA_SUPPRESS_PREFIXLEN, *spec.suppressed_prefix_length);
    if (spec.suppressed_group) message.put_u32(FRA_SUPPRESS_IFGROUP, *spec.suppressed_group);
    if (spec.realms != 0) message.put_u32(FRA_FLOW, spec.realms);
    const auto bytes = message.bytes();
    return {bytes.begin(), bytes.end()};
}

}  // namespace

EncodedRequest write_new_rule(const RuleSpec& spec) { return write_rule(spec, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL); }
EncodedRequest write_delete_rule(const RuleSpec& spec) { return write_rule(spec, RTM_DELRULE, 0); }

std::optional<RuleState> read_rule_state(const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWRULE && message.nlmsg_type != RTM_DELRULE) return std::nullopt;
    const auto* const header = read_header<fib_rule_hdr>(message);
    if (header == nullptr) return std::nullopt;
    const auto family = read_family(header->family);
    if (!family) return std::nullopt;
    const AttributeTable attributes(message, sizeof *header);
    return RuleState{.family = *family,
                     .priority = attributes.u32(FRA_PRIORITY).value_or(0),
                     .table = attributes.u32(FRA_TABLE).value_or(header->table),
                     .action = header->action,
                     .protocol = attributes.u8(FRA_PROTOCOL).value_or(0)};
}

}  // namespace vigil::arp::kernel
