/// What global_defs and the root level say about the load balancer as a whole. The instance that lvs_sync_daemon follows may be defined anywhere, so
/// its name is resolved at the end, and so is the id that is taken from it.

#include "config/lvs_definitions.h"

#include <algorithm>

#include "config/handler_table.h"
#include "config/interpreter.h"
#include "config/keyword_rows.h"
#include "config/suggestion.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

using Handler = void (*)(Context&, LvsDefinitions&, const Node&);

std::uint32_t number_of(const Node& node) { return static_cast<std::uint32_t>(read_number(node.word(1))->value); }
bool flag_of(const Node& node) { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); }

void error(Context& context, const Node& node, std::string_view word, std::string text, std::string help = {}) {
    context.reporter.error(node.line(), word, in_quotes(node.word(0)) + ": " + std::move(text) + ": ignored", std::move(help));
}

/// `low` to `high`; nullopt when it was reported.
std::optional<std::uint32_t> read_option_number(Context& context, const Node& node, std::size_t at, std::uint32_t low, std::uint32_t high) {
    const auto number = read_number(node.word(at));
    if (number && !number->has_trailing && number->value >= low && number->value <= high) return static_cast<std::uint32_t>(number->value);
    error(context, node, node.word(at - 1), "behind " + in_quotes(node.word(at - 1)) + " stands a number from " + std::to_string(low) + " to " + std::to_string(high));
    return std::nullopt;
}

constexpr std::string_view sync_words[] = {"id", "maxlen", "port", "ttl", "group"};

bool is_sync_word(std::string_view word) { return std::find(std::begin(sync_words), std::end(sync_words), word) != std::end(sync_words); }

void read_sync_option(Context& context, LvsSyncDaemon& daemon, const Node& node, std::size_t at) {
    const std::string_view word = node.word(at - 1);
    if (word == "group") {
        const auto group = read_address(node.word(at));
        if (group && group->is_multicast()) daemon.group = *group;
        else error(context, node, node.word(at), "behind 'group' stands a multicast address");
    } else if (word == "id") {
        if (const auto id = read_option_number(context, node, at, 0, 255)) context.servers.sync_id = static_cast<std::uint8_t>(*id);
    } else if (word == "maxlen") {
        daemon.max_length = static_cast<std::uint16_t>(read_option_number(context, node, at, 1, 65'507).value_or(daemon.max_length));
    } else if (word == "port") {
        daemon.port = static_cast<std::uint16_t>(read_option_number(context, node, at, 1, 65'535).value_or(daemon.port));
    } else {
        daemon.ttl = static_cast<std::uint8_t>(read_option_number(context, node, at, 1, 255).value_or(daemon.ttl));
    }
}

/// INTERFACE [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS]; an instance may be called like one of these words only behind `inst`.
void read_sync_daemon(Context& context, LvsDefinitions& lvs, const Node& node) {
    if (lvs.sync_daemon) {
        return error(context, node, node.word(0), "it was given on line " + std::to_string(lvs.sync_daemon->where.line) + " already");
    }
    LvsSyncDaemon daemon;
    daemon.interface = context.texts.intern(node.word(1));
    daemon.where = node.where(1);
    std::size_t at = 2;
    const bool has_word = node.word(at) == "inst";
    if (has_word) ++at;
    if (has_word && at >= node.word_count()) return error(context, node, node.word(2), "behind 'inst' stands the name of a vrrp_instance");
    if (at < node.word_count() && (has_word || !is_sync_word(node.word(at)))) {
        daemon.where = node.where(at);
        daemon.instance = context.texts.intern(node.word(at++));
    }
    for (; at < node.word_count(); at += 2) {
        const std::string_view word = node.word(at);
        if (!is_sync_word(word)) return error(context, node, word, in_quotes(word) + " is not known here", "INTERFACE [INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS]");
        if (at + 1 >= node.word_count()) return error(context, node, word, in_quotes(word) + " needs a value");
        read_sync_option(context, daemon, node, at + 1);
    }
    lvs.sync_daemon = daemon;
}

void read_timeouts(Context& context, LvsDefinitions& lvs, const Node& node) {
    constexpr std::uint32_t longest = 2'678'400;   // 31 days, of the kernel
    for (std::size_t at = 1; at < node.word_count(); at += 2) {
        const std::string_view word = node.word(at);
        std::optional<std::uint32_t>* timeout = word == "tcp" ? &lvs.timeouts.tcp : word == "tcpfin" ? &lvs.timeouts.tcp_fin : word == "udp" ? &lvs.timeouts.udp : nullptr;
        if (timeout == nullptr) return error(context, node, word, in_quotes(word) + " is not known here", "[tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]");
        if (at + 1 >= node.word_count()) return error(context, node, word, in_quotes(word) + " needs a number of seconds");
        if (const auto seconds = read_option_number(context, node, at + 1, 0, longest)) *timeout = seconds;
    }
}

void read_flush_on_stop(Context& context, LvsDefinitions& lvs, const Node& node) {
    if (node.word_count() > 1 && node.word(1) != "VS") return error(context, node, node.word(1), "it stands alone or with VS");
    lvs.flush_at_stop = node.word_count() > 1 ? FlushAtStop::services : FlushAtStop::all;
}

void read_nftables(Context& context, LvsDefinitions& lvs, const Node& node) {
    const std::string_view name = node.word(1);
    lvs.nftables.is_used = true;
    if (name.empty()) return;
    constexpr std::size_t longest = 200;
    const bool fits = name.size() <= longest && is_name_start(name.front()) && std::all_of(name.begin(), name.end(), is_name_part);
    if (fits) lvs.nftables.table = context.texts.intern(name);
    else error(context, node, name, "the name of a table has letters, digits and _, a letter first", "without a name it is keepalived_ipvs");
}

void read_cpus(Context& context, LvsDefinitions& lvs, const Node& node) {
    constexpr std::int64_t greatest_cpu = 1023;
    lvs.process.cpus.clear();
    for (std::size_t at = 1; at < node.word_count(); ++at) {
        const auto cpu = read_number(node.word(at));
        if (cpu && !cpu->has_trailing && cpu->value >= 0 && cpu->value <= greatest_cpu) lvs.process.cpus.push_back(static_cast<unsigned>(cpu->value));
        else error(context, node, node.word(at), "a CPU is a number from 0, not " + in_quotes(node.word(at)));
    }
}

/// A limit of 1 would end the process at its first look at the clock.
void read_rttime(Context&, LvsDefinitions& lvs, const Node& node) { lvs.process.rlimit_rttime = std::max(2u, number_of(node)); }

constexpr HandlerTable<Handler>::Row handler_rows[] = {
    {"lvs_sync_daemon", read_sync_daemon},
    {"lvs_timeouts", read_timeouts},
    {"lvs_flush", [](Context&, LvsDefinitions& l, const Node&) { l.flush_at_start = true; }},
    {"lvs_flush_on_stop", read_flush_on_stop},
    {"lvs_flush_onstop", read_flush_on_stop},
    {"lvs_notify_fifo", [](Context& c, LvsDefinitions& l, const Node& n) { read_fifo(c, l.notify_fifo, n); }},
    {"lvs_notify_fifo_script", [](Context& c, LvsDefinitions& l, const Node& n) { l.notify_fifo.reader = read_command(c, n); }},
    {"rs_init_notifies", [](Context&, LvsDefinitions& l, const Node& n) { l.notifies_initial_states = flag_of(n); }},
    {"no_checker_emails", [](Context&, LvsDefinitions& l, const Node&) { l.no_checker_emails = true; }},
    {"smtp_alert_checker", [](Context& c, LvsDefinitions&, const Node& n) { c.servers.smtp_alert = flag_of(n); }},
    {"checker_log_all_failures", [](Context& c, LvsDefinitions&, const Node& n) { c.servers.log_all_failures = flag_of(n); }},
    {"checker_priority", [](Context&, LvsDefinitions& l, const Node& n) { l.process.nice = static_cast<std::int8_t>(read_number(n.word(1))->value); }},
    {"checker_no_swap", [](Context&, LvsDefinitions& l, const Node&) { l.process.no_swap = true; }},
    {"checker_rt_priority", [](Context&, LvsDefinitions& l, const Node& n) { l.process.rt_priority = static_cast<std::uint8_t>(number_of(n)); }},
    {"checker_cpu_affinity", read_cpus},
    {"checker_rlimit_rttime", read_rttime},
    {"checker_rlimit_rtime", read_rttime},
    {"lvs_netlink_cmd_rcv_bufs", [](Context&, LvsDefinitions& l, const Node& n) { l.process.netlink_command_buffer = number_of(n); }},
    {"lvs_netlink_monitor_rcv_bufs", [](Context&, LvsDefinitions& l, const Node& n) { l.process.netlink_monitor_buffer = number_of(n); }},
    {"nftables_ipvs", read_nftables},
    {"nftables_ipvs_priority", [](Context&, LvsDefinitions& l, const Node& n) { l.nftables.priority = static_cast<std::int32_t>(read_number(n.word(1))->value); }},
    {"nftables_ipvs_start_fwmark", [](Context&, LvsDefinitions& l, const Node& n) { l.nftables.start_fwmark = number_of(n); }},
};

void settle_sync_daemon(Context& context, std::optional<LvsSyncDaemon>& daemon) {
    if (!daemon) return;
    const auto& instances = context.configuration.instances;
    const auto found = std::find_if(instances.begin(), instances.end(), [&](const VrrpInstance& one) { return one.name == daemon->instance; });
    if (!daemon->instance.empty() && found == instances.end()) {
        Suggester suggester(daemon->instance);
        for (const VrrpInstance& instance : instances) suggester.consider(instance.name);
        context.reporter.report_at(Severity::error, daemon->where, "there is no usable vrrp_instance " + in_quotes(daemon->instance) + ": the sync daemon is not started",
                                   suggester.best().empty() ? "" : "did you mean " + in_quotes(suggester.best()) + "?");
        daemon.reset();
        return;
    }
    if (context.servers.sync_id) daemon->id = *context.servers.sync_id;
    else if (found != instances.end()) daemon->id = to_number(found->vrid);
    const auto& is_known = context.options.is_known_interface;
    if (!is_known || is_known(daemon->interface)) return;
    context.reporter.report_at(Severity::warning, daemon->where, "lvs_sync_daemon: there is no interface '" + std::string(daemon->interface) + "'", "'ip link' lists those there are");
}

}  // namespace

void read_lvs_keyword(Context& context, const Node& node) {
    static const HandlerTable<Handler> handlers(rows::global_keywords(), handler_rows);
    const Handler handler = handlers.find(node.statement().keyword);
    if (handler == nullptr) return;
    handler(context, context.configuration.global.lvs, node);
}

void read_lvs_namespace(Context& context, const Node& node) {
    LvsDefinitions& lvs = context.configuration.global.lvs;
    lvs.has_namespace = true;
    lvs.namespace_name = context.texts.intern(node.word(1));
}

void read_tls_client(Context& context, const Node& block) {
    TlsClientSettings& tls = context.configuration.global.lvs.tls;
    if (tls.where.line != 0) {
        context.reporter.warning(block.line(), block.word(0), "there is an SSL block on line " + std::to_string(tls.where.line) + " already: this one is used instead");
        tls = {};
    }
    tls.where = block.where();
    block.for_each_child([&](const Node& node) {
        if (node.statement().is_deaf || !check_arguments(context.reporter, node)) return;
        const std::string_view name = node.statement().keyword->name;
        const std::string_view value = context.texts.intern(node.word(1));
        if (name == "password") {
            note_secret(context, node, SecretKind::key);
            tls.password = value;
            return;
        }
        if (!value.starts_with('/')) {
            context.reporter.warning(node.line(), node.word(1), "a relative path begins where the daemon was started, which is '/' for a service", "write the whole path");
        }
        (name == "ca" ? tls.ca : name == "certificate" ? tls.certificate : tls.key) = value;
    });
}

void validate_lvs_definitions(Context& context) {
    GlobalDefinitions& global = context.configuration.global;
    settle_sync_daemon(context, global.lvs.sync_daemon);
    NotifyFifo& fifo = global.lvs.notify_fifo;
    if (!fifo.path.empty() && (fifo.path == global.notify_fifo.path || fifo.path == global.vrrp_notify_fifo.path)) {
        context.reporter.report_at(Severity::error, fifo.where, "another keyword names the same FIFO: this one is ignored", "every line about servers comes through notify_fifo too");
        fifo = {};
    }
    if (fifo.reader.command.empty() || !fifo.path.empty()) return;
    context.reporter.report_at(Severity::error, fifo.reader.where, "'lvs_notify_fifo_script' has no FIFO to read: it is not started", "write lvs_notify_fifo /path/of/the/fifo");
    fifo.reader = {};
}

}  // namespace vigil::config
