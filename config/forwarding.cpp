/// lb_kind, lvs_method and sorry_server_lvs_method: NAT, DR, or TUN with the kind of tunnel.

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::string_view checksum_words[] = {"nocsum", "csum", "remcsum"};
constexpr std::string_view tunnel_words[] = {"ipip", "gue", "gre"};

class ForwardingLine {
public:
    ForwardingLine(Context& context, const Node& node) : context_(context), node_(node) {}

    std::optional<Forwarding> read() {
        const std::string_view method = node_.word(1);
        if (method == "TUN") return read_tunnel();
        if (method != "NAT" && method != "DR") return refuse_method(method);
        if (method == "DR") result_.method = ForwardingMethod::dr;
        if (node_.word_count() > 2) context_.reporter.note(node_.line(), node_.word(2), in_quotes(node_.word(2)) + " and what follows it is not looked at");
        return result_;
    }

private:
    std::nullopt_t refuse(std::string_view word, std::string text, std::string help = {}) {
        context_.reporter.error(node_.line(), word, in_quotes(node_.word(0)) + ": " + std::move(text) + ": ignored", std::move(help));
        return std::nullopt;
    }

    std::nullopt_t refuse_method(std::string_view method) {
        Suggester suggester(method);
        for (const std::string_view known : {"NAT", "DR", "TUN"}) suggester.consider(known);
        context_.reporter.error(node_.line(), method, in_quotes(node_.word(0)) + " expects one of NAT DR TUN, not " + in_quotes(method) + ": ignored",
                                suggester.best().empty() ? "" : "did you mean " + in_quotes(suggester.best()) + "?");
        return std::nullopt;
    }

    std::optional<Forwarding> read_tunnel() {
        result_.method = ForwardingMethod::tun;
        for (std::size_t at = 2; at < node_.word_count(); ++at) {
            const std::string_view word = node_.word(at);
            const bool has_value = at + 1 < node_.word_count();
            if (word == "type" || word == "port") {
                if (!has_value) return refuse(word, in_quotes(word) + " needs a word behind it");
                const bool is_good = word == "type" ? read_type(node_.word(++at)) : read_port(node_.word(++at));
                if (!is_good) return std::nullopt;
            } else if (!read_checksum(word)) {
                return refuse(word, "TUN does not know " + in_quotes(word), "type ipip, type gue port NUMBER, type gre, and nocsum, csum or remcsum");
            }
        }
        return check();
    }

    bool read_type(std::string_view word) {
        for (std::size_t i = 0; i < std::size(tunnel_words); ++i) {
            if (word != tunnel_words[i]) continue;
            result_.tunnel = static_cast<TunnelType>(i);
            return true;
        }
        refuse(word, "there is no tunnel of the type " + in_quotes(word), "one of ipip gue gre");
        return false;
    }

    bool read_port(std::string_view word) {
        const auto port = read_number(word);
        if (port && !port->has_trailing && port->value > 0 && port->value < 65'536) {
            result_.gue_port = static_cast<std::uint16_t>(port->value);
            return true;
        }
        refuse(word, "a port is a number from 1 to 65535, not " + in_quotes(word));
        return false;
    }

    bool read_checksum(std::string_view word) {
        for (std::size_t i = 0; i < std::size(checksum_words); ++i) {
            if (word != checksum_words[i]) continue;
            result_.checksum = static_cast<TunnelChecksum>(i);
            return true;
        }
        return false;
    }

    std::optional<Forwarding> check() {
        const bool is_gue = result_.tunnel == TunnelType::gue;
        if (is_gue && result_.gue_port == 0) return refuse(node_.word(1), "a gue tunnel needs the port that it goes to", "write type gue port NUMBER");
        if (!is_gue && result_.gue_port != 0) return refuse(node_.word(1), "only a gue tunnel has a port", "leave port out, or write type gue");
        if (result_.checksum == TunnelChecksum::none) return result_;
        if (result_.tunnel == TunnelType::ipip) return refuse(node_.word(1), "an ipip tunnel has no checksum", "leave the word out");
        if (result_.tunnel == TunnelType::gre && result_.checksum == TunnelChecksum::remote) {
            return refuse(node_.word(1), "a gre tunnel has no remote checksum", "write csum or nocsum");
        }
        return result_;
    }

    Context& context_;
    const Node& node_;
    Forwarding result_;
};

}  // namespace

std::optional<Forwarding> read_forwarding(Context& context, const Node& node) { return ForwardingLine(context, node).read(); }

std::string to_string(const Forwarding& forwarding) {
    if (forwarding.method == ForwardingMethod::nat) return "NAT";
    if (forwarding.method == ForwardingMethod::dr) return "DR";
    std::string text = "TUN type " + std::string(tunnel_words[static_cast<std::size_t>(forwarding.tunnel)]);
    if (forwarding.tunnel == TunnelType::gue) text += " port " + std::to_string(forwarding.gue_port);
    if (forwarding.checksum != TunnelChecksum::none) text += ' ' + std::string(checksum_words[static_cast<std::size_t>(forwarding.checksum)]);
    return text;
}

}  // namespace vigil::config
