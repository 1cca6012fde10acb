/// HTTP_GET and SSL_GET with their URLs. A URL without a path is left out, and a checker without a URL with it: there would be nothing to ask for. Status
/// codes from 200 to 299 are expected where a URL says nothing at all of what its answer must be.
///
/// A regular expression comes with the escapes of command keywords, so that "\\d" in the file is \d for PCRE2, and "\d" is a plain d: that is keepalived's
/// way and files are written for it, so it stays, with a warning where it is hardly what was meant.

#include <algorithm>

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::string_view regex_names[] = {
    "allow_empty_class", "alt_bsux", "auto_callout", "caseless", "dollar_endonly", "dotall", "dupnames", "extended", "firstline", "match_unset_backref", "multiline",
    "never_ucp", "never_utf", "no_auto_capture", "no_auto_possess", "no_dotstar_anchor", "no_start_optimize", "ucp", "ungreedy", "utf", "never_backslash_c",
    "alt_circumflex", "alt_verbnames", "use_offset_limit"};
static_assert(std::size(regex_names) == static_cast<std::size_t>(RegexOption::count));

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

class UrlReader {
public:
    UrlReader(Context& context, const Node& block) : context_(context), block_(block) {}

    void read() {
        block_.for_each_child([&](const Node& node) {
            if (!node.statement().is_deaf && check_arguments(context_.reporter, node)) read_keyword(node);
        });
    }

    /// False: it cannot be used, and that has been said.
    bool settle(const HttpCheck& check, bool tls_compliant, std::string_view virtualhost) {
        if (url_.path.empty()) {
            context_.reporter.error(block_.line(), block_.word(0), "the URL has no path: it is not asked for", "write path /");
            return false;
        }
        if (url_.virtualhost.empty()) url_.virtualhost = virtualhost;
        if (!regex_.pattern.empty()) url_.regex = regex_;
        else if (regex_word_.line != 0) context_.reporter.report_at(Severity::warning, regex_word_, "without 'regex' this means nothing");
        if (url_.status_codes.empty() && !url_.digest && !url_.regex) url_.status_codes.push_back({});
        url_.tls_compliant = check.tls && own_tls_compliant_.value_or(tls_compliant);
        return true;
    }

    HttpUrl take() { return std::move(url_); }

private:
    static std::uint32_t number_of(const Node& node) { return static_cast<std::uint32_t>(read_number(node.word(1))->value); }

    void error(const Node& node, std::string_view word, std::string text, std::string help = {}) {
        context_.reporter.error(node.line(), word, std::move(text) + ": ignored", std::move(help));
    }

    void read_keyword(const Node& node) {
        const std::string_view name = node.statement().keyword->name;
        if (name == "path") read_path(node);
        else if (name == "digest") read_digest(node);
        else if (name == "status_code") read_status(node);
        else if (name == "virtualhost") url_.virtualhost = context_.texts.intern(node.word(1));
        else if (name == "tls_compliant") own_tls_compliant_ = node.word_count() < 2 || read_boolean(node.word(1)).value_or(true);
        else read_regex_keyword(node, name);
    }

    /// Goes into a request line: a blank would end it. Other octets are sent as they are.
    void read_path(const Node& node) {
        const std::string_view path = node.word(1);
        const bool has_blank = std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; });
        if (!path.starts_with('/') || has_blank) return error(node, path, "'path' expects a path that begins with '/' and has no blanks, not " + in_quotes(path));
        url_.path = context_.texts.intern(path);
    }

    void read_digest(const Node& node) {
        const std::string_view text = node.word(1);
        const bool is_hex = std::all_of(text.begin(), text.end(), [](char c) { return hex_digit(c) >= 0; });
        if (text.size() != 32 || !is_hex) {
            return error(node, text, "'digest' expects the 32 hexadecimal digits of an MD5, not " + in_quotes(text), "genhash or 'md5sum' of the body prints it");
        }
        url_.digest.emplace();
        for (std::size_t i = 0; i < 16; ++i) {
            (*url_.digest)[i] = static_cast<std::uint8_t>(hex_digit(text[2 * i]) * 16 + hex_digit(text[2 * i + 1]));
        }
    }

    static std::optional<std::uint16_t> status(std::string_view word) {
        const auto number = read_number(word);
        if (!number || number->has_trailing || number->value < 100 || number->value > 599) return std::nullopt;
        return static_cast<std::uint16_t>(number->value);
    }

    void read_status(const Node& node) {
        for (std::size_t at = 1; at < node.word_count(); ++at) {
            const std::string_view word = node.word(at);
            const std::size_t dash = word.find('-');
            const auto first = status(word.substr(0, dash));
            const auto last = dash == std::string_view::npos ? first : status(word.substr(dash + 1));
            if (!first || !last || *last < *first) error(node, word, "'status_code' expects codes from 100 to 599, or FIRST-LAST, not " + in_quotes(word));
            else url_.status_codes.push_back({*first, *last});
        }
    }

    void read_regex_keyword(const Node& node, std::string_view name) {
        if (name != "regex") regex_word_ = node.where();
        if (name == "regex") read_regex(node);
        else if (name == "regex_no_match") regex_.must_not_match = true;
        else if (name == "regex_min_offset") regex_.min_offset = number_of(node);
        else if (name == "regex_max_offset") regex_.max_offset = number_of(node);
        else if (name == "regex_options") read_regex_options(node);
        else if (name == "regex_stack") read_regex_stack(node);
    }

    void read_regex(const Node& node) {
        const std::string_view written = node.statement().text;
        const std::vector<std::string> words = split_command(written);
        if (words.size() < 2 || words[1].empty()) return error(node, node.word(0), "'regex' needs a pattern");
        regex_.pattern = context_.texts.intern(words[1]);
        for (std::size_t at = 0; at + 1 < written.size(); ++at) {
            if (written[at] != '\\') continue;
            const char next = written[++at];
            if (std::string_view("dDwWsSBAzZbpPRK").find(next) == std::string_view::npos) continue;
            const std::string pair{'\\', next};
            context_.reporter.warning(node.line(), node.word(1), in_quotes(pair) + " loses its backslash before the pattern is used, as in keepalived", "write \\" + pair);
            break;
        }
    }

    void read_regex_options(const Node& node) {
        for (std::size_t at = 1; at < node.word_count(); ++at) {
            const auto known = std::find(std::begin(regex_names), std::end(regex_names), node.word(at));
            if (known != std::end(regex_names)) {
                regex_.options |= 1u << (known - std::begin(regex_names));
                continue;
            }
            Suggester suggester(node.word(at));
            for (const std::string_view name : regex_names) suggester.consider(name);
            error(node, node.word(at), "'regex_options' does not know " + in_quotes(node.word(at)),
                  suggester.best().empty() ? "" : "did you mean " + in_quotes(suggester.best()) + "?");
        }
    }

    void read_regex_stack(const Node& node) {
        const auto start = read_number(node.word(1));
        const auto most = read_number(node.word(2));
        const auto fits = [](const std::optional<ParsedNumber>& number) { return number && !number->has_trailing && number->value > 0 && number->value <= 0x7fffffff; };
        if (!fits(start) || !fits(most) || most->value < start->value) {
            return error(node, node.word(1), "'regex_stack' expects two numbers of octets, the first and the greatest size");
        }
        regex_.stack_start = static_cast<std::uint32_t>(start->value);
        regex_.stack_max = static_cast<std::uint32_t>(most->value);
    }

    Context& context_;
    const Node& block_;
    HttpUrl url_;
    RegexSettings regex_;
    SourceLocation regex_word_;   ///< of a keyword that needs 'regex'
    std::optional<bool> own_tls_compliant_;
};

}  // namespace

void read_http_keyword(Context& context, HttpCheck& check, HttpDraft& draft, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    const auto flag = [&] { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); };
    if (name == "http_protocol") {
        const std::string_view word = node.word(1);
        check.version = word == "2" ? HttpVersion::http_2 : word == "1.1" ? HttpVersion::http_1_1 : word == "1.0" ? HttpVersion::http_1_0 : HttpVersion::http_1_0_close;
    } else if (name == "enable_sni") {
        check.enable_sni = flag();
        draft.sni = node.where();
    } else if (name == "sni_name") {
        check.sni_name = context.texts.intern(node.word(1));
        draft.sni = node.where();
    } else if (name == "fast_recovery") {
        check.fast_recovery = flag();
    } else if (name == "tls_compliant") {
        draft.tls_compliant = flag();
    } else if (name == "tls_verify") {
        check.verifies_peer = flag();
    }
}

bool settle_http_check(Context& context, HttpCheck& check, const HttpDraft& draft, std::string_view virtualhost, const Node& block) {
    if (!check.tls && draft.sni.line != 0) {
        context.reporter.report_at(Severity::warning, draft.sni, "without TLS a server is told no name: this means nothing in HTTP_GET", "write SSL_GET, or leave it out");
        check.enable_sni = false;
        check.sni_name = {};
    }
    block.for_each_child([&](const Node& node) {
        const BlockId child = node.statement().keyword->child;
        if (child != BlockId::url && child != BlockId::ssl_url) return;
        UrlReader url(context, node);
        url.read();
        if (url.settle(check, draft.tls_compliant, virtualhost)) check.urls.push_back(url.take());
    });
    if (!check.urls.empty()) return true;
    context.reporter.error(block.line(), block.word(0), std::string(block.word(0)) + " has no URL to ask for: it is not used", "write url { path / }");
    return false;
}

std::string_view name_of(RegexOption option) { return regex_names[static_cast<std::size_t>(option)]; }

}  // namespace vigil::config
