/// ADDRESS[/PREFIX] and its option words. An unknown word is reported and passed over; an option without its value, a second `dev`
/// or an address that is none drops the line, because what remained might be set on the wrong interface. So does an address that
/// no host on a link can have: setting it would disturb this host and serve nobody.

#include <algorithm>

#include "config/interpreter.h"
#include "config/option_words.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

bool is_loopback(const IpAddress& address) {
    constexpr IpAddress ipv6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, Family::ipv6};
    return address.family == Family::ipv6 ? address == ipv6 : address.octets[0] == 127;
}

/// What an address is that cannot be virtual; empty for all others (RFC 1122 §3.2.1.3, RFC 4291 §2.5 and §2.7).
std::string_view unusable_kind(const IpAddress& address) {
    if (address.is_unspecified()) return "the unspecified address";
    if (address.is_multicast()) return "a multicast address";
    if (is_loopback(address)) return address.family == Family::ipv6 ? "the loopback address" : "a loopback address";
    return address == ipv4(255, 255, 255, 255) ? "the broadcast address of every network" : "";
}

/// `address` with all bits behind an IPv4 prefix set or cleared.
IpAddress with_host_bits(IpAddress address, unsigned prefix_length, bool set) {
    for (unsigned bit = prefix_length; bit < 32; ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80u >> (bit % 8));
        std::uint8_t& octet = address.octets[bit / 8];
        octet = static_cast<std::uint8_t>(set ? octet | mask : octet & ~mask);
    }
    return address;
}

class AddressLine {
public:
    AddressLine(Context& context, const Node& item, std::string_view* track_group)
        : context_(context), item_(item), track_group_(track_group) {}

    std::optional<ConfiguredAddress> read() {
        if (!read_first_word()) return std::nullopt;
        while (next_ < item_.word_count()) {
            if (!read_option(item_.word(next_++))) return std::nullopt;
        }
        if (!finish()) return std::nullopt;
        return result_;
    }

private:
    bool drop(std::string_view part, std::string message, std::string help = {}) {
        context_.reporter.error(item_.line(), part, message + ": the line is dropped", std::move(help));
        return false;
    }

    bool read_first_word() {
        const std::string_view word = item_.word(0);
        const auto parsed = read_address_with_prefix(word);
        if (!parsed) {
            return drop(word, "expected ADDRESS or ADDRESS/PREFIX, not " + in_quotes(word),
                        word.starts_with("//") ? "a comment starts with # or !"
                                               : (find_keyword(BlockId::vrrp_instance, word) != nullptr ? "is a '}' missing above?" : ""));
        }
        if (const std::string_view kind = unusable_kind(parsed->address); !kind.empty() && !(is_static() && is_loopback(parsed->address))) {
            return drop(word, in_quotes(to_string(parsed->address)) + " is " + std::string(kind) + " and cannot be " + (is_static() ? "set" : "virtual"),
                        is_static() ? "" : "write an address of the network that the routers share");
        }
        result_.address = parsed->address;
        result_.where = item_.where(0);
        const auto host_length = static_cast<std::uint8_t>(parsed->address.size() * 8);
        result_.prefix_length = parsed->prefix_length.value_or(host_length);
        if (parsed->is_prefix_bad) {
            context_.reporter.error(item_.line(), word.substr(word.find('/')),
                                    "this is no prefix length: /" + std::to_string(host_length) + " is used");
        }
        return true;
    }

    /// The word behind an option; nullopt when the line ends before.
    std::optional<std::string_view> value_of(std::string_view option) {
        if (next_ < item_.word_count()) return item_.word(next_++);
        drop(option, in_quotes(option) + " needs a value behind it");
        return std::nullopt;
    }

    bool is_static() const { return track_group_ != nullptr; }
    bool is_ipv6() const { return result_.address.family == Family::ipv6; }

    bool read_option(std::string_view option) {
        if (option == "dev") return read_device(option);
        if (option == "brd" || option == "broadcast") return read_broadcast(option);
        if (option == "label") return read_label(option);
        if (option == "scope") return read_scope(option);
        if (option == "peer") return read_peer(option);
        if (option == "preferred_lft") return read_lifetime(option);
        if (option == "track_group") return read_track_group(option);
        if (option == "home") result_.home_address = true;
        else if (option == "-nodad") result_.duplicate_detection = true;
        else if (option == "mngtmpaddr") result_.manage_temporary = true;
        else if (option == "noprefixroute") result_.no_prefix_route = true;
        else if (option == "autojoin") result_.auto_join = true;
        else if (option == "no_track") result_.no_track = true;
        else if (option == "use_vmac" && is_static()) return unknown(option, "only virtual addresses have it");
        else if (option == "use_vmac") result_.use_vmac = true;
        else return unknown(option, suggest_option(OptionLine::address, option));
        return true;
    }

    bool unknown(std::string_view option, std::string help) {
        context_.reporter.error(item_.line(), option, "unknown option " + in_quotes(option) + " of an address: passed over",
                                std::move(help));
        return true;
    }

    bool read_track_group(std::string_view option) {
        const auto name = value_of(option);
        if (!name) return false;
        if (!is_static()) return unknown(option, "only static addresses have it");
        *track_group_ = context_.texts.intern(*name);
        return true;
    }

    bool read_device(std::string_view option) {
        const auto name = value_of(option);
        if (!name) return false;
        if (!result_.device.empty()) return drop(*name, "'dev' is given twice");
        result_.device = context_.texts.intern(*name);
        return true;
    }

    bool read_broadcast(std::string_view option) {
        const auto value = value_of(option);
        if (!value) return false;
        if (is_ipv6()) return drop(option, "IPv6 has no broadcast address");
        broadcast_word_ = *value;
        if (*value == "+" || *value == "-") return true;
        result_.broadcast = read_address(*value);
        if (!result_.broadcast || result_.broadcast->family != Family::ipv4)
            return drop(*value, in_quotes(*value) + " is no broadcast address", "an IPv4 address, + or -");
        return true;
    }

    bool read_label(std::string_view option) {
        const auto value = value_of(option);
        if (!value) return false;
        if (is_ipv6() || value->size() > 15) {
            context_.reporter.error(
                item_.line(), *value,
                is_ipv6() ? "IPv6 addresses have no label: ignored" : "a label has at most 15 octets: ignored");
        } else {
            result_.label = context_.texts.intern(*value);
        }
        return true;
    }

    bool read_scope(std::string_view option) {
        const auto value = value_of(option);
        if (!value) return false;
        const std::optional<std::uint8_t> scope = read_scope_name(*value);
        if (is_ipv6() || !scope) {
            context_.reporter.error(item_.line(), *value,
                                    is_ipv6() ? "the scope of an IPv6 address follows from the address: ignored"
                                              : "unknown scope " + in_quotes(*value) + ": global is used",
                                    is_ipv6() ? "" : "global, site, link, host, nowhere, or a number from 0 to 255");
        } else {
            result_.scope = *scope;
        }
        return true;
    }

    bool read_peer(std::string_view option) {
        const auto value = value_of(option);
        if (!value) return false;
        const auto peer = read_address_with_prefix(*value);
        if (!peer || peer->address.family != result_.address.family)
            return drop(*value, in_quotes(*value) + " is no address of the same family");
        result_.peer = peer->address;
        result_.prefix_length = static_cast<std::uint8_t>(peer->address.size() * 8);
        return true;
    }

    bool read_lifetime(std::string_view option) {
        const auto value = value_of(option);
        if (!value) return false;
        lifetime_given_ = true;
        if (*value == "forever") return true;
        const auto number = read_number(*value);
        if (!number || number->has_trailing || number->value < 0 || number->value >= ConfiguredAddress::forever) {
            return drop(*value, in_quotes(*value) + " is no number of seconds and not 'forever'");
        }
        result_.preferred_lifetime = static_cast<std::uint32_t>(number->value);
        return true;
    }

    /// What needs the whole line.
    bool finish() {
        if (is_ipv6() && result_.prefix_length == 128 && !lifetime_given_) result_.preferred_lifetime = 0;
        check_ends_of_subnet();
        if (broadcast_word_.empty()) return true;
        if (result_.peer) return drop(broadcast_word_, "a point-to-point address has no broadcast address");
        if (result_.broadcast) return true;
        if (result_.prefix_length > 30) {
            context_.reporter.warning(item_.line(), broadcast_word_, "a prefix of /31 or /32 has no broadcast address: the address is set without one",
                                      "give the prefix: ADDRESS/24 brd +");
            return true;
        }
        result_.broadcast = with_host_bits(result_.address, result_.prefix_length, broadcast_word_ == "+");
        return true;
    }

    /// The first and the last address of a subnet belong to no host. /31 and /32 have none to spare (RFC 3021), /0 is no subnet.
    void check_ends_of_subnet() {
        const unsigned length = result_.prefix_length;
        if (is_ipv6() || length == 0 || length > 30) return;
        const bool is_network = result_.address == with_host_bits(result_.address, length, false);
        if (!is_network && result_.address != with_host_bits(result_.address, length, true)) return;
        const std::string_view word = item_.word(0);
        context_.reporter.warning(item_.line(), word,
                                  in_quotes(word) + (is_network ? " is the network" : " is the broadcast") + " address of its own prefix",
                                  "hosts may not reach it: write an address inside the prefix, or check the prefix length");
    }

    Context& context_;
    const Node& item_;
    std::string_view* track_group_;   ///< nullptr: not a static address
    ConfiguredAddress result_;
    std::size_t next_ = 1;
    std::string_view broadcast_word_;
    bool lifetime_given_ = false;
};

}  // namespace

std::optional<ConfiguredAddress> read_address_line(Context& context, const Node& item, std::string_view* track_group) {
    return AddressLine(context, item, track_group).read();
}

}  // namespace vigil::config
