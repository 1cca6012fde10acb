/// The checkers of a real server: what all have in common, and the small ones. HTTP_GET and UDP_CHECK have files of their own.
///
/// A checker that cannot do its work (no script, no URL, no port to go to) is left out with an error, as keepalived does: the server then counts as
/// up as far as that check goes. Names of track_file and bfd_instance blocks are resolved when all of the file was read (validate_servers.cpp).

#include <algorithm>

#include "config/interpreter.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr Nanoseconds usual_period = std::chrono::seconds{60};

/// What a kind of checker takes where nobody says anything; no delay: delay_loop.
struct KindDefaults {
    std::uint32_t retry = 1;
    std::optional<Nanoseconds> delay_before_retry{std::chrono::seconds{1}};
};

KindDefaults defaults_of(BlockId kind) {
    KindDefaults defaults;
    if (kind == BlockId::misc_check) defaults.retry = 0;
    if (kind == BlockId::http_get || kind == BlockId::ssl_get) defaults.delay_before_retry = std::chrono::seconds{3};
    if (kind == BlockId::dns_check) defaults = {3, std::nullopt};
    return defaults;
}

bool has_connection(BlockId kind) { return kind != BlockId::misc_check && kind != BlockId::bfd_check && kind != BlockId::file_check; }

constexpr struct {
    std::string_view name;
    DnsType type;
} dns_types[] = {{"A", DnsType::a},   {"NS", DnsType::ns},   {"CNAME", DnsType::cname}, {"SOA", DnsType::soa},     {"MX", DnsType::mx},
                 {"TXT", DnsType::txt}, {"AAAA", DnsType::aaaa}, {"RRSIG", DnsType::rrsig}, {"DNSKEY", DnsType::dnskey}};

class CheckerReader {
public:
    CheckerReader(Context& context, const CheckedServer& checked, const Node& block)
        : context_(context), checked_(checked), block_(block), kind_(block.statement().keyword->child) {
        checker_.where = block.where();
        checker_.connection.connect_port = has_connection(kind_) ? checked.port : std::uint16_t{0};
        make_kind();
    }

    void read(CheckerList& checkers) {
        block_.for_each_child([&](const Node& node) {
            if (node.statement().is_deaf || node.statement().keyword->child != BlockId::none) return;
            report_deprecated(context_.reporter, node);
            if (check_arguments(context_.reporter, node)) read_keyword(node);
        });
        settle_schedule();
        if (!settle_kind()) return;
        if (kind_ == BlockId::smtp_check && read_hosts(checkers)) return;
        add(checkers, block_);
    }

private:
    void make_kind() {
        switch (kind_) {
            case BlockId::http_get:
            case BlockId::ssl_get: checker_.check = HttpCheck{}; break;
            case BlockId::smtp_check: checker_.check = SmtpCheck{}; break;
            case BlockId::dns_check: checker_.check = DnsCheck{}; break;
            case BlockId::udp_check: checker_.check = UdpCheck{}; break;
            case BlockId::ping_check: checker_.check = PingCheck{}; break;
            case BlockId::misc_check: checker_.check = MiscCheck{}; break;
            case BlockId::bfd_check: checker_.check = BfdCheck{}; break;
            case BlockId::file_check: checker_.check = FileCheck{}; break;
            default: break;
        }
    }

    bool refuse(std::string text, std::string help) {
        context_.reporter.error(block_.line(), block_.word(0), std::string(block_.word(0)) + " " + std::move(text) + ": it is not used", std::move(help));
        return false;
    }

    /// `alpha`, `virtualhost` and the times are named alike in all blocks; the rest is the kind's own.
    void read_keyword(const Node& node) {
        const std::string_view name = node.statement().keyword->name;
        if (has_connection(kind_) && read_connection(checker_.connection, node)) return;
        if (name == "log_all_failures") checker_.schedule.log_all_failures = flag_of(node);
        else if (name == "nb_get_retry") own_.retry = number_of(node);
        else if (!read_check_default(context_, own_, node)) std::visit([&](auto& check) { read_own(check, node); }, checker_.check);
    }

    static std::uint32_t number_of(const Node& node) { return static_cast<std::uint32_t>(read_number(node.word(1))->value); }
    static bool flag_of(const Node& node) { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); }

    bool read_connection(CheckConnection& connection, const Node& node) {
        const std::string_view name = node.statement().keyword->name;
        if (name == "connect_ip") connection.connect_ip = read_address(node.word(1));
        else if (name == "connect_port") connection.connect_port = static_cast<std::uint16_t>(number_of(node));
        else if (name == "bindto") connection.bind_address = read_address(node.word(1));
        else if (name == "bind_port") connection.bind_port = static_cast<std::uint16_t>(number_of(node));
        else if (name == "bind_if") connection.bind_interface = context_.texts.intern(node.word(1));
        else if (name == "fwmark") connection.mark = number_of(node);
        else return false;
        return true;
    }

    void read_own(TcpCheck&, const Node&) {}
    void read_own(PingCheck&, const Node&) {}
    void read_own(HttpCheck& check, const Node& node) { read_http_keyword(context_, check, http_, node); }
    void read_own(SmtpCheck& check, const Node& node) { check.helo_name = context_.texts.intern(node.word(1)); }
    void read_own(UdpCheck& check, const Node& node) { read_udp_keyword(context_, check, node); }

    void read_own(DnsCheck& check, const Node& node) {
        if (node.word(0) == "name") return read_dns_name(check, node);
        for (const auto& row : dns_types) {
            if (row.name == node.word(1)) check.type = row.type;
        }
    }

    /// RFC 1035 §2.3.4: labels of 63 octets, names of 255 with their lengths.
    void read_dns_name(DnsCheck& check, const Node& node) {
        std::string_view rest = node.word(1);
        const std::string_view name = rest;
        const auto refuse_name = [&](std::string_view text) {
            context_.reporter.error(node.line(), name, in_quotes(name) + " " + std::string(text) + ": the root is asked for", "write a host name, or '.'");
        };
        if (name != ".") {
            if (rest.ends_with('.')) rest.remove_suffix(1);
            if (rest.empty() || rest.size() > 253) return refuse_name("is no name of 1 to 253 octets");
            for (std::size_t start = 0; start <= rest.size();) {
                const std::size_t end = std::min(rest.find('.', start), rest.size());
                if (end == start) return refuse_name("has an empty label");
                if (end - start > 63) return refuse_name("has a label of more than 63 octets");
                start = end + 1;
            }
        }
        check.name = context_.texts.intern(name);
    }

    void read_own(MiscCheck& check, const Node& node) {
        const std::string_view name = node.word(0);
        if (name == "misc_path") {
            const NotifyScript script = read_command(context_, node);
            check.script.command = script.command;
            check.script.where = script.where;
            if (script.user.empty()) return;
            check.script.user = script.user;
            check.script.group = script.group;
        } else if (name == "misc_timeout") {
            check.timeout = std::chrono::seconds{number_of(node)};
        } else if (name == "misc_dynamic") {
            check.is_dynamic = true;
        } else if (name == "user") {
            const std::string_view group = node.word(2);
            check.script.user = context_.texts.intern(node.word(1));
            check.script.group = context_.texts.intern(group.substr(group.starts_with(':') ? 1 : 0));
        }
    }

    void read_own(BfdCheck& check, const Node& node) { check.name = context_.texts.intern(node.word(1)); }

    void read_own(FileCheck& check, const Node& node) {
        if (node.word(0) == "track_file") {
            check.track_file = context_.texts.intern(node.word(1));
            return;
        }
        check.weight = static_cast<std::int32_t>(read_number(node.word(1))->value);
        if (node.word(2) == "reverse" || node.word(2) == "noreverse") check.weight_reverse = node.word(2) == "reverse";
    }

    void settle_schedule() {
        const KindDefaults kind = defaults_of(kind_);
        own_.inherit(checked_.defaults);
        CheckSchedule& schedule = checker_.schedule;
        schedule.retry = own_.retry.value_or(kind.retry);
        schedule.delay_loop = own_.delay_loop.value_or(usual_period);
        schedule.warmup = own_.warmup.value_or(schedule.delay_loop);
        schedule.delay_before_retry = own_.delay_before_retry.value_or(kind.delay_before_retry.value_or(schedule.delay_loop));
        schedule.alpha = own_.alpha.value_or(false);
        if (own_.connect_timeout) checker_.connection.connect_timeout = *own_.connect_timeout;
        if (has_connection(kind_)) return;
        const bool is_scheduled = kind_ == BlockId::misc_check;
        const CheckSchedule unused{};
        if (!is_scheduled) schedule = {unused.retry, unused.delay_before_retry, unused.warmup, unused.delay_loop, schedule.alpha, schedule.log_all_failures};
        checker_.connection = {};
    }

    bool settle_kind() {
        if (auto* http = std::get_if<HttpCheck>(&checker_.check)) {
            http->tls = kind_ == BlockId::ssl_get;
            return settle_http_check(context_, *http, http_, own_.virtualhost, block_);
        }
        if (auto* udp = std::get_if<UdpCheck>(&checker_.check)) settle_udp_check(context_, *udp, block_);
        if (auto* misc = std::get_if<MiscCheck>(&checker_.check)) {
            if (misc->script.command.empty()) return refuse("has no misc_path", "write misc_path \"/path/to/script ARGUMENTS\"");
            if (misc->timeout == Nanoseconds{0}) misc->timeout = checker_.schedule.delay_loop;
        }
        if (auto* bfd = std::get_if<BfdCheck>(&checker_.check); bfd != nullptr && bfd->name.empty()) return refuse("has no name", "write name NAME with the name of a bfd_instance");
        if (auto* file = std::get_if<FileCheck>(&checker_.check); file != nullptr && file->track_file.empty()) {
            return refuse("has no track_file", "write track_file NAME with the name of a track_file block");
        }
        return true;
    }

    /// SMTP_CHECK with targets of its own: one checker for each. False: there are none.
    bool read_hosts(CheckerList& checkers) {
        bool has_hosts = false;
        const Checker common = checker_;
        const CheckDefaults own = own_;
        block_.for_each_child([&](const Node& host) {
            if (host.statement().keyword->child != BlockId::smtp_host) return;
            report_deprecated(context_.reporter, host);
            has_hosts = true;
            checker_ = common;
            own_ = own;
            checker_.where = host.where();
            host.for_each_child([&](const Node& node) {
                if (!node.statement().is_deaf && check_arguments(context_.reporter, node)) read_keyword(node);
            });
            settle_schedule();
            add(checkers, host);
        });
        return has_hosts;
    }

    void add(CheckerList& checkers, const Node& block) {
        if (has_connection(kind_) && !settle_connection(block)) return;
        checkers.push_back(checker_);
    }

    /// False: it cannot connect, and that has been said.
    bool settle_connection(const Node& block) {
        CheckConnection& connection = checker_.connection;
        const IpAddress target = connection.connect_ip.value_or(checked_.server.address);
        if (kind_ == BlockId::ping_check) connection.connect_port = connection.bind_port = 0;
        else if (connection.connect_port == 0) return refuse("has no port to connect to", "write connect_port NUMBER, or a port behind real_server");
        if (target.is_link_local() && connection.bind_interface.empty()) {
            return refuse("goes to a link-local address, which is one on each interface", "write bind_if INTERFACE");
        }
        if (connection.bind_address && connection.bind_address->family != target.family) {
            context_.reporter.error(block.line(), block.word(0), "bindto has another family than " + to_string(target) + ": it is ignored");
            connection.bind_address.reset();
        }
        return true;
    }

    Context& context_;
    const CheckedServer& checked_;
    const Node& block_;
    BlockId kind_;
    Checker checker_;
    CheckDefaults own_;
    HttpDraft http_;
};

}  // namespace

void read_checker(Context& context, CheckerList& checkers, const CheckedServer& checked, const Node& block) {
    CheckerReader(context, checked, block).read(checkers);
}

std::string_view name_of(DnsType type) {
    for (const auto& row : dns_types) {
        if (row.type == type) return row.name;
    }
    return "";
}

std::string_view name_of(const Checker& checker) {
    constexpr std::string_view names[] = {"TCP_CHECK", "HTTP_GET", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK", "MISC_CHECK", "FILE_CHECK", "BFD_CHECK"};
    static_assert(std::size(names) == std::variant_size_v<decltype(checker.check)>);
    const auto* http = std::get_if<HttpCheck>(&checker.check);
    return http != nullptr && http->tls ? "SSL_GET" : names[checker.check.index()];
}

}  // namespace vigil::config
