/// virtual_server_group: addresses, ranges of them and firewall marks. Each address becomes a service of the kernel, so a range has an upper
/// limit here that the language does not have: a mistyped prefix would ask for millions.

#include <algorithm>
#include <charconv>
#include <tuple>

#include "config/interpreter.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::uint64_t most_addresses = 65'536;   // of one line

/// `address` + `distance`, which does not leave the last four octets.
IpAddress plus(IpAddress address, std::uint32_t distance) {
    std::size_t at = address.size();
    for (std::uint64_t carry = distance; carry != 0 && at-- > 0; carry >>= 8) {
        carry += address.octets[at];
        address.octets[at] = static_cast<std::uint8_t>(carry & 0xff);
    }
    return address;
}

/// Where the members of a group were written, in their order.
struct Places {
    std::vector<SourceLocation> ranges;
    std::vector<SourceLocation> marks;
};

class GroupLine {
public:
    GroupLine(Context& context, VirtualServerGroup& group, Places& places, const Node& item) : context_(context), group_(group), places_(places), item_(item) {}

    void read() {
        if (item_.word(0) == "fwmark") return read_mark();
        ServiceRange range;
        if (!read_addresses(range) || !read_port(range)) return;
        places_.ranges.push_back(item_.where());
        group_.ranges.push_back(range);
    }

private:
    bool drop(std::string_view word, std::string text, std::string help = {}) {
        context_.reporter.error(item_.line(), word, "virtual_server_group " + in_quotes(group_.name) + ": " + std::move(text) + ": this line is ignored",
                                std::move(help));
        return false;
    }

    void read_mark() {
        const std::string_view word = item_.word(1);
        const auto number = read_based_number(word);
        if (!number || *number < 1 || *number > 0xffffffff) {
            drop(word.empty() ? item_.word(0) : word, "a firewall mark is a number from 1 to 4294967295", "write fwmark NUMBER");
            return;
        }
        FirewallMark mark{static_cast<std::uint32_t>(*number), std::nullopt};
        const std::string_view family = item_.word(2);
        if (family == "inet") mark.family = Family::ipv4;
        else if (family == "inet6") mark.family = Family::ipv6;
        else if (!family.empty()) {
            drop(family, "behind a firewall mark stands inet or inet6, not " + in_quotes(family));
            return;
        }
        places_.marks.push_back(item_.where(1));
        group_.marks.push_back(mark);
    }

    bool read_addresses(ServiceRange& range) {
        const std::string_view word = item_.word(0);
        if (word.find('/') != std::string_view::npos) return read_prefix(range, word);
        const std::size_t dash = word.find('-');
        const auto first = read_address(word.substr(0, dash));
        if (!first) return drop(word, in_quotes(word) + " is no address", "ADDRESS, FIRST-LAST or ADDRESS/LENGTH, and a port; or fwmark NUMBER");
        range.first = range.last = *first;
        return dash == std::string_view::npos || read_last(range, word.substr(dash + 1));
    }

    /// The last octet, the last group of an IPv6 address, or a whole address.
    bool read_last(ServiceRange& range, std::string_view word) {
        if (const auto last = read_address(word)) {
            range.last = *last;
        } else {
            const bool is_ipv4 = range.first.family == Family::ipv4;
            unsigned number = 0;
            const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, is_ipv4 ? 10 : 16);
            if (error != std::errc{} || end != word.data() + word.size() || number > (is_ipv4 ? 0xffu : 0xffffu)) {
                return drop(word, in_quotes(word) + " is no end of a range", is_ipv4 ? "the last octet, 0 to 255, or a whole address" : "the last group in hexadecimal, or a whole address");
            }
            auto& octets = range.last.octets;
            if (!is_ipv4) octets[14] = static_cast<std::uint8_t>(number >> 8);
            octets[is_ipv4 ? 3 : 15] = static_cast<std::uint8_t>(number & 0xff);
        }
        if (range.last.family != range.first.family) return drop(word, "a range begins and ends in one family");
        if (range.last < range.first) return drop(word, "the range ends before it begins");
        return plus_limit(range.first) < range.last ? drop(item_.word(0), "a range has at most 65536 addresses") : true;
    }

    /// The last address that a range from here may have.
    static IpAddress plus_limit(const IpAddress& first) {
        const IpAddress last = plus(first, most_addresses - 1);
        if (!(last < first)) return last;
        IpAddress highest = first;   // there are fewer up to the end of all addresses
        std::fill_n(highest.octets.begin(), highest.size(), std::uint8_t{0xff});
        return highest;
    }

    bool read_prefix(ServiceRange& range, std::string_view word) {
        const auto prefix = read_address_with_prefix(word);
        if (!prefix || prefix->is_prefix_bad) return drop(word, in_quotes(word) + " is no address with a prefix length");
        const unsigned host_bits = static_cast<unsigned>(prefix->address.size() * 8) - *prefix->prefix_length;
        if (host_bits > 16) return drop(word, "a range has at most 65536 addresses");
        const std::uint32_t count = 1u << host_bits;
        const auto& octets = prefix->address.octets;
        const std::size_t size = prefix->address.size();
        const std::uint32_t low = static_cast<std::uint32_t>(octets[size - 2]) << 8 | octets[size - 1];
        if ((low & (count - 1)) != 0) return drop(word, "a prefix of " + std::to_string(*prefix->prefix_length) + " bits does not begin at this address", "the bits behind the prefix are 0");
        range.first = prefix->address;
        range.last = plus(prefix->address, count - 1);
        return true;
    }

    bool read_port(ServiceRange& range) {
        const std::string_view word = item_.word(1);
        if (word.empty()) return true;
        const auto port = read_number(word);
        if (!port || port->has_trailing || port->value < 0 || port->value > 65'535) return drop(word, "a port is a number from 0 to 65535, not " + in_quotes(word));
        range.port = static_cast<std::uint16_t>(port->value);
        if (item_.word_count() > 2) context_.reporter.note(item_.line(), item_.word(2), in_quotes(item_.word(2)) + " and what follows it is not looked at");
        return true;
    }

    Context& context_;
    VirtualServerGroup& group_;
    Places& places_;
    const Node& item_;
};

/// Takes out the later ones of `members` that `collide` with another; `less` puts those that may collide side by side.
template <typename Member, typename Less, typename Collide>
void drop_repeated(Context& context, std::vector<Member>& members, const std::vector<SourceLocation>& places, Less less, Collide collide) {
    if (members.size() < 2) return;
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return less(members[a], members[b]); });
    std::vector<bool> is_dropped(members.size());
    for (std::size_t kept = order[0], i = 1; i < order.size(); ++i) {
        const std::size_t next = order[i];
        if (!collide(members[kept], members[next])) {
            kept = next;
            continue;
        }
        is_dropped[std::max(kept, next)] = true;
        context.reporter.report_at(Severity::error, places[std::max(kept, next)],
                                   "the group has this on line " + std::to_string(places[std::min(kept, next)].line) + " already: this line is ignored");
        kept = std::min(kept, next);
    }
    std::size_t count = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (!is_dropped[i]) members[count++] = members[i];
    }
    members.resize(count);
}

void drop_repeated(Context& context, VirtualServerGroup& group, const Places& places) {
    drop_repeated(
        context, group.ranges, places.ranges,
        [](const ServiceRange& a, const ServiceRange& b) {
            return std::tie(a.first.family, a.port, a.first.octets) < std::tie(b.first.family, b.port, b.first.octets);
        },
        [](const ServiceRange& a, const ServiceRange& b) {
            return a.first.family == b.first.family && a.port == b.port && !(a.last < b.first) && !(b.last < a.first);
        });
    drop_repeated(
        context, group.marks, places.marks, [](const FirewallMark& a, const FirewallMark& b) { return std::tie(a.mark, a.family) < std::tie(b.mark, b.family); },
        [](const FirewallMark& a, const FirewallMark& b) { return a == b; });
}

bool is_usable(Context& context, const VirtualServerGroup& group, const Node& block) {
    const auto refuse = [&](std::string text, std::string help) {
        context.reporter.error(block.line(), block.word(1), "virtual_server_group " + in_quotes(group.name) + " " + std::move(text) + ": it is not used", std::move(help));
        return false;
    };
    if (group.ranges.empty() && group.marks.empty()) return refuse("has nothing in it", "write ADDRESS PORT, a range, or fwmark NUMBER, one on a line");
    const auto has = [&](Family family) {
        return std::any_of(group.ranges.begin(), group.ranges.end(), [&](const ServiceRange& range) { return range.first.family == family; });
    };
    const bool has_open_mark = std::any_of(group.marks.begin(), group.marks.end(), [](const FirewallMark& mark) { return !mark.family; });
    if (has(Family::ipv4) && has(Family::ipv6) && has_open_mark) {
        return refuse("has IPv4, IPv6 and a firewall mark that says neither", "write inet or inet6 behind the mark, or make two groups");
    }
    return true;
}

}  // namespace

void read_server_group(Context& context, const Node& block) {
    VirtualServerGroup group;
    Places places;
    group.name = context.texts.intern(block.word(1));
    group.where = block.where(1);
    block.for_each_child([&](const Node& item) {
        if (!item.statement().is_deaf) GroupLine(context, group, places, item).read();
    });
    drop_repeated(context, group, places);
    const auto [first, is_new] = context.servers.group_names.try_emplace(group.name, group.where);
    if (!is_new) {
        context.reporter.error(block.line(), block.word(1),
                               "there is a virtual_server_group " + in_quotes(group.name) + " already, on line " + std::to_string(first->second.line) + ": this one is ignored");
        return;
    }
    if (is_usable(context, group, block)) context.configuration.server_groups.push_back(std::move(group));
}

}  // namespace vigil::config
