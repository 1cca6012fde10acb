/// auth_hmac: keys from the file itself or from files of their own, and what may stand beside them.
///
/// An instance that shall be authenticated and cannot be is not run: without a usable key it would believe everybody. (keepalived runs it without
/// authentication.) A single key that cannot be used is an error, and the others do their work; on a reload any error leaves the running
/// configuration as it is, so a rotation with a mistyped path changes nothing.
///
/// The octets of a key come as `hex:...`, as text, or from `file:PATH`, whose first line is either of both. What a key is does not go into any message.

#include <algorithm>
#include <charconv>

#include "config/interpreter.h"
#include "config/values.h"

namespace vigil::config {

namespace {

constexpr std::string_view hex_prefix = "hex:";
constexpr std::string_view file_prefix = "file:";
constexpr std::string_view make_one = "'openssl rand -hex 32' makes one, to be written behind hex:";

/// nullopt when it is no even number of hexadecimal digits.
std::optional<std::vector<std::uint8_t>> read_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::vector<std::uint8_t> octets;
    for (std::size_t at = 0; at < text.size(); at += 2) {
        std::uint8_t octet = 0;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 2, octet, 16);
        if (error != std::errc() || end != text.data() + at + 2) return std::nullopt;
        octets.push_back(octet);
    }
    return octets;
}

std::optional<std::vector<std::uint8_t>> read_key_text(std::string_view text) {
    if (text.starts_with(hex_prefix)) return read_hex(text.substr(hex_prefix.size()));
    return std::vector<std::uint8_t>(text.begin(), text.end());
}

/// One `key` line.
class KeyReader {
public:
    KeyReader(Context& context, const Node& node) : context_(context), node_(node) {}

    /// nullopt: it cannot be used, and that has been said.
    std::optional<HmacKey> read() {
        const auto id = read_number(node_.word(1));
        if (!id || id->has_trailing || id->value < 1 || id->value > 255) return refuse(1, "a key id is a number from 1 to 255");
        if (node_.word_count() < 3) return refuse(0, "'key' needs an id and the key: hex:DIGITS, file:PATH or a text", std::string(make_one));
        if (node_.word_count() > 3) context_.reporter.warning(node_.line(), node_.word(3), "the key is one word: what follows is ignored");
        std::optional<std::vector<std::uint8_t>> octets = read_value(node_.word(2));
        if (!octets) return std::nullopt;
        if (octets->size() < HmacKey::least_octets || octets->size() > HmacKey::most_octets) {
            return refuse(1, "key " + std::to_string(id->value) + " has " + std::to_string(octets->size()) + " octets, a key has 32 to 64",
                          std::string(make_one));
        }
        return HmacKey{static_cast<std::uint8_t>(id->value), std::move(*octets), node_.where(1)};
    }

private:
    std::nullopt_t refuse(std::size_t word, std::string text, std::string help = {}) {
        context_.reporter.error(node_.line(), node_.word(word), std::move(text) + ": this key is not used", std::move(help));
        return std::nullopt;
    }

    std::optional<std::vector<std::uint8_t>> read_value(std::string_view word) {
        if (word.starts_with(file_prefix)) return read_file(std::string(word.substr(file_prefix.size())));
        auto octets = read_key_text(word);
        if (!octets) return refuse(1, "behind hex: stands an even number of hexadecimal digits", std::string(make_one));
        return octets;
    }

    std::optional<std::vector<std::uint8_t>> read_file(const std::string& path) {
        const FileSystem& files = context_.options.file_system != nullptr ? *context_.options.file_system : host_file_system();
        const std::optional<std::string> content = files.read(path);
        if (!content) {
            return refuse(2, "the key file '" + path + "' cannot be read",
                          "make it with: (umask 077; echo hex:$(openssl rand -hex 32) > " + path + "), and copy it to the other routers");
        }
        if (files.is_open_to_others(path)) {
            context_.reporter.report(Severity::warning, node_.line(), node_.word(2), "others than its owner may read the key file '" + path + "'",
                                     "chmod 600 " + path, Category::script_security);
        }
        const std::string_view text(content->data(), content->find_last_not_of("\r\n") + 1);
        const auto octets = text.find('\0') == std::string_view::npos ? read_key_text(text) : std::nullopt;
        if (!octets) return refuse(2, "the key file '" + path + "' holds neither hex: and an even number of hexadecimal digits nor a text", std::string(make_one));
        return octets;
    }

    Context& context_;
    const Node& node_;
};

void add_key(Context& context, HmacSettings& settings, const Node& node) {
    std::optional<HmacKey> key = KeyReader(context, node).read();
    if (!key) return;
    const auto first = std::ranges::find(settings.keys, key->id, &HmacKey::id);
    if (first == settings.keys.end()) return settings.keys.push_back(std::move(*key));
    context.reporter.error(node.line(), node.word(1),
                           "there is a key " + std::to_string(key->id) + " already, on line " + std::to_string(first->where.line) + ": this one is not used");
}

HmacMode mode_of(std::string_view word) {
    if (word == "permissive") return HmacMode::permissive;
    return word == "receive-only" ? HmacMode::receive_only : HmacMode::enforce;
}

/// The words were checked.
void read_keyword(Context& context, HmacSettings& settings, InstanceDraft& draft, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    const auto place = [&](Place which) { draft.places[static_cast<std::size_t>(which)] = node.where(); };
    if (name == "key") {
        add_key(context, settings, node);
    } else if (name == "active_key") {
        draft.active_key = static_cast<std::uint8_t>(read_number(node.word(1))->value);
        place(Place::active_key);
    } else if (name == "time_window") {
        draft.time_window = static_cast<std::uint16_t>(read_number(node.word(1))->value);
        place(Place::time_window);
    } else if (name == "anti_replay") {
        settings.checks_time = node.word(1) == "time";
    } else if (name == "mode") {
        settings.mode = mode_of(node.word(1));
        place(Place::hmac_mode);
    }
}

}  // namespace

void read_auth_hmac(Context& context, VrrpInstance& instance, InstanceDraft& draft, const Node& block) {
    draft.has_auth_hmac = true;
    block.for_each_child([&](const Node& node) {
        if (!node.statement().is_deaf && check_arguments(context.reporter, node)) read_keyword(context, instance.auth_hmac, draft, node);
    });
}

bool settle_auth_hmac(Context& context, VrrpInstance& instance, const InstanceDraft& draft) {
    if (!draft.has_auth_hmac) return true;
    HmacSettings& settings = instance.auth_hmac;
    const auto say = [&](Severity severity, Place place, std::string text, std::string help = {}) {
        const SourceLocation written = draft.places[static_cast<std::size_t>(place)];
        const SourceLocation where = written.line != 0 ? written : draft.places[static_cast<std::size_t>(Place::auth_hmac)];
        context.reporter.report_at(severity, where, "(" + std::string(instance.name) + ") " + std::move(text), std::move(help));
    };
    if (!settings.is_used()) {
        say(Severity::error, Place::auth_hmac, "auth_hmac has no key that can be used: the instance is not used, because it would believe everybody",
            "write key ID and the key, or leave the block out");
        return false;
    }
    const std::uint8_t first = settings.keys.front().id;
    settings.active_key = draft.active_key.value_or(first);
    if (!draft.active_key && settings.keys.size() > 1) {
        say(Severity::error, Place::auth_hmac, "auth_hmac has several keys and no active_key: key " + std::to_string(first) + " signs", "write active_key ID");
    }
    if (std::ranges::find(settings.keys, settings.active_key, &HmacKey::id) == settings.keys.end()) {
        say(Severity::error, Place::active_key,
            "there is no usable key " + std::to_string(settings.active_key) + ": key " + std::to_string(first) + " signs", "define it, or name one that is defined");
        settings.active_key = first;
    }
    if (instance.strict_mode && settings.mode != HmacMode::enforce) {
        say(Severity::warning, Place::hmac_mode, "strict mode asks for 'mode enforce': it is used");
        settings.mode = HmacMode::enforce;
    }
    const auto whole_seconds = static_cast<std::uint16_t>(instance.advert_int.count() / 100);
    settings.time_window = draft.time_window.value_or(std::clamp<std::uint16_t>(static_cast<std::uint16_t>(3 * whole_seconds), 5, 300));
    if (draft.time_window && !settings.checks_time) {
        say(Severity::note, Place::time_window, "'time_window' means nothing with 'anti_replay monotonic', which does not look at the time");
    }
    return true;
}

}  // namespace vigil::config
