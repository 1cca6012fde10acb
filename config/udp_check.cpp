/// UDP_CHECK: what is sent and what has to come back, in hexadecimal. Digits may stand in groups of any size, over one word or several: pairs make octets,
/// and a single digit before a blank is an octet of its own. An 'x' in the reply is a digit that does not matter.

#include "config/interpreter.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::size_t most_octets = 65'507;   // of a UDP datagram over IPv4

struct Octets {
    std::vector<std::uint8_t> values;
    std::vector<std::uint8_t> mask;
};

/// The digit and which of its bits count; nullopt when it is none.
std::optional<std::pair<unsigned, unsigned>> read_digit(char c, bool may_be_open) {
    if (c >= '0' && c <= '9') return std::pair{static_cast<unsigned>(c - '0'), 0xfu};
    if (c >= 'a' && c <= 'f') return std::pair{static_cast<unsigned>(c - 'a' + 10), 0xfu};
    if (c >= 'A' && c <= 'F') return std::pair{static_cast<unsigned>(c - 'A' + 10), 0xfu};
    if (may_be_open && (c == 'x' || c == 'X')) return std::pair{0u, 0u};
    return std::nullopt;
}

/// False: `text` is not hexadecimal.
bool append(Octets& octets, std::string_view text, bool may_be_open) {
    for (std::size_t at = 0; at < text.size();) {
        if (is_blank(text[at])) {
            ++at;
            continue;
        }
        unsigned value = 0;
        unsigned mask = 0xf0;   // of a digit that stands alone, which is the lower one
        for (int digits = 0; digits < 2 && at < text.size() && !is_blank(text[at]); ++digits, ++at) {
            const auto digit = read_digit(text[at], may_be_open);
            if (!digit) return false;
            value = value << 4 | digit->first;
            mask = (mask << 4 | digit->second) & 0xff;
            if (digits == 0) mask |= 0xf0;
        }
        octets.values.push_back(static_cast<std::uint8_t>(value));
        octets.mask.push_back(static_cast<std::uint8_t>(mask));
    }
    return true;
}

std::optional<Octets> read_octets(Context& context, const Node& node, bool may_be_open) {
    Octets octets;
    for (std::size_t at = 1; at < node.word_count(); ++at) {
        if (!append(octets, node.word(at), may_be_open)) {
            context.reporter.error(node.line(), node.word(at), in_quotes(node.word(0)) + " expects hexadecimal digits, not " + in_quotes(node.word(at)) + ": ignored",
                                   may_be_open ? "an x stands for any digit: 12 3x ff" : "12 34 ff");
            return std::nullopt;
        }
    }
    if (octets.values.size() <= most_octets) return octets;
    context.reporter.error(node.line(), node.word(0), in_quotes(node.word(0)) + " has more octets than a datagram: ignored");
    return std::nullopt;
}

}  // namespace

void read_udp_keyword(Context& context, UdpCheck& check, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    if (name == "min_reply_length") check.min_reply_length = static_cast<std::uint16_t>(read_number(node.word(1))->value);
    else if (name == "max_reply_length") check.max_reply_length = static_cast<std::uint16_t>(read_number(node.word(1))->value);
    else if (name == "payload") {
        if (auto octets = read_octets(context, node, false)) check.payload = std::move(octets->values);
    } else if (name == "require_reply") {
        check.require_reply = true;
        if (auto octets = read_octets(context, node, true)) {
            check.reply = std::move(octets->values);
            check.reply_mask = std::move(octets->mask);
        }
    }
}

void settle_udp_check(Context& context, UdpCheck& check, const Node& block) {
    if (check.min_reply_length <= check.max_reply_length) return;
    context.reporter.error(block.line(), block.word(0), "min_reply_length is greater than max_reply_length, so that every reply would fail: both are ignored");
    check.min_reply_length = UdpCheck{}.min_reply_length;
    check.max_reply_length = UdpCheck{}.max_reply_length;
}

}  // namespace vigil::config
