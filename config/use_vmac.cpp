/// use_vmac [[name] IFNAME] [MAC] [netlink_notify_msg] [group N], in any order. A MAC of five octets gets the VRID as its sixth.

#include <charconv>

#include "config/device_words.h"
#include "config/interpreter.h"
#include "config/values.h"

namespace vigil::config {

namespace {


/// Five or six hexadecimal octets with colons; the count in `octets`.
std::optional<MacAddress> read_partial_mac(std::string_view word, std::uint8_t& octets) {
    MacAddress mac;
    octets = 0;
    while (octets < 6) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
        if (error != std::errc{} || value > 255 || end - word.data() > 2) return std::nullopt;
        mac.octets[octets++] = static_cast<std::uint8_t>(value);
        word.remove_prefix(static_cast<std::size_t>(end - word.data()));
        if (word.empty()) break;
        if (word.front() != ':') return std::nullopt;
        word.remove_prefix(1);
    }
    if (!word.empty() || octets < 5) return std::nullopt;
    return mac;
}

}  // namespace

void read_use_vmac(Context& context, VrrpInstance& instance, InstanceDraft& draft, const Node& node) {
    VirtualMacSettings& settings = instance.virtual_mac;
    settings.enabled = true;
    const auto refuse = [&](std::string_view part, std::string message) {
        context.reporter.error(node.line(), part, std::move(message), "use_vmac [name] [MAC] [netlink_notify_msg] [group NUMBER]");
    };
    for (std::size_t index = 1; index < node.word_count(); ++index) {
        std::string_view word = node.word(index);
        std::uint8_t octets = 0;
        if (word == "netlink_notify_msg") {
            settings.netlink_notify = true;
        } else if (word == "group") {
            if (const auto group = read_device_group(node.word(++index))) settings.group = *group;
            else refuse(word, "'group' of use_vmac expects a number: ignored");
        } else if (const auto mac = word.find(':') == std::string_view::npos ? std::nullopt : read_partial_mac(word, octets)) {
            const bool is_usable = !mac->is_zero() && (mac->octets[0] & 1) == 0;
            if (!is_usable) {
                refuse(word, "'" + std::string(word) + "' is no unicast MAC address: the virtual router's own is used");
                continue;
            }
            settings.address = mac;
            draft.mac_octets = octets;
        } else {
            if (word == "name") word = node.word(++index);
            if (settings.name.empty() && is_device_name(word)) settings.name = context.texts.intern(word);
            else refuse(word.empty() ? node.word(index - 1) : word, "'" + std::string(word) + "' is no name for the interface: ignored");
        }
    }
}

VirtualMacMode read_vmac_mode(std::string_view word) { return word == "nftables" ? VirtualMacMode::nftables : VirtualMacMode::macvlan; }

}  // namespace vigil::config
