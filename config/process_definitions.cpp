/// The keywords of global_defs that concern processes, files and the host. A daemon has no directory of its own, so every path is absolute.
///
/// Some of them steer what keepalived is made of and vigil is not: a copy of the configuration for the child processes, a receive buffer for
/// each socket. They are taken with a note that says so.

#include "config/process_definitions.h"

#include <algorithm>
#include <charconv>

#include "config/handler_table.h"
#include "config/interpreter.h"
#include "config/keyword_rows.h"
#include "config/values.h"

namespace vigil::config {

namespace {

using Handler = void (*)(Context&, ProcessDefinitions&, const Node&);

/// Empty when it is none, which has been said.
std::string_view absolute_path(Context& context, const Node& node) {
    const std::string_view path = node.word(1);
    if (path.starts_with('/')) return context.texts.intern(path);
    context.reporter.error(node.line(), path, "'" + std::string(node.word(0)) + "' expects an absolute path: ignored",
                           "a daemon has no directory of its own: write /run/NAME");
    return {};
}

void read_reload_check(Context& context, ProcessDefinitions& process, const Node& node) {
    process.reload.checks_first = true;
    if (node.word_count() > 1) process.reload.check_log = absolute_path(context, node);
}

void read_reload_file(Context& context, ProcessDefinitions& process, const Node& node) {
    process.reload.makes_file = true;
    if (node.word_count() > 1) process.reload.file = absolute_path(context, node);
}

constexpr std::size_t longest_process_name = 15;   // the kernel's TASK_COMM_LEN without its zero
constexpr std::uint16_t most_cpus = 1024;          // of sched_setaffinity(2) with its usual set

std::uint32_t number_of(const Node& node) { return static_cast<std::uint32_t>(read_number(node.word(1))->value); }
bool flag_of(const Node& node) { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); }

std::string_view process_name(Context& context, const Node& node) {
    const std::string_view name = node.word(1);
    if (name.size() > longest_process_name) {
        context.reporter.warning(node.line(), name.substr(longest_process_name), "a process name has at most 15 octets: the rest is cut off");
    }
    return context.texts.intern(name.substr(0, longest_process_name));
}

/// The mode bits of sys/stat.h without their "S_".
std::optional<std::uint16_t> mode_bits(std::string_view name) {
    struct Bits {
        std::string_view name;
        std::uint16_t mode;
    };
    constexpr Bits rows[] = {{"IRUSR", 0400}, {"IWUSR", 0200}, {"IXUSR", 0100}, {"IRWXU", 0700}, {"IRGRP", 040}, {"IWGRP", 020},
                             {"IXGRP", 010},  {"IRWXG", 070},  {"IROTH", 04},   {"IWOTH", 02},   {"IXOTH", 01},  {"IRWXO", 07}};
    if (name.starts_with("S_")) name.remove_prefix(2);
    for (const Bits& row : rows) {
        if (row.name == name) return row.mode;
    }
    return std::nullopt;
}

std::optional<std::uint16_t> octal(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    if (error != std::errc{} || end != text.data() + text.size() || value > 0777) return std::nullopt;
    return static_cast<std::uint16_t>(value);
}

/// "027", or "IWGRP|IRWXO" with or without blanks around the bars.
void read_umask(Context& context, ProcessDefinitions& process, const Node& node) {
    if (const auto number = octal(node.word(1)); number && node.word_count() == 2) {
        process.umask = number;
        return;
    }
    std::uint16_t mask = 0;
    for (std::size_t index = 1; index < node.word_count(); ++index) {
        for (std::string_view rest = node.word(index); !rest.empty();) {
            const std::string_view name = rest.substr(0, rest.find('|'));
            rest.remove_prefix(std::min(rest.size(), name.size() + 1));
            if (name.empty()) continue;
            const auto bits = mode_bits(name);
            if (!bits) {
                return context.reporter.error(node.line(), name, "'umask' expects an octal number up to 777, or names of mode bits: ignored",
                                              "write 027, or IWGRP|IRWXO");
            }
            mask = static_cast<std::uint16_t>(mask | *bits);
        }
    }
    process.umask = mask;
}

void read_cpus(Context& context, ProcessDefinitions& process, const Node& node) {
    process.packet_thread.cpus.clear();
    for (std::size_t index = 1; index < node.word_count(); ++index) {
        const auto cpu = read_number(node.word(index));
        if (cpu && !cpu->has_trailing && cpu->value >= 0 && cpu->value < most_cpus) process.packet_thread.cpus.push_back(static_cast<std::uint16_t>(cpu->value));
        else context.reporter.error(node.line(), node.word(index), "'vrrp_cpu_affinity' expects numbers of CPUs, from 0: this one is ignored");
    }
}

void read_auto_priority(Context&, ProcessDefinitions& process, const Node& node) {
    process.packet_thread.max_auto_priority = node.word_count() < 2 ? 99 : static_cast<std::int8_t>(read_number(node.word(1))->value);
}

/// Less is no delay but how a scheduler works.
void read_auto_delay(Context& context, ProcessDefinitions& process, const Node& node) {
    constexpr std::uint32_t least = 1000;
    const std::uint32_t delay = number_of(node);
    if (delay < least) context.reporter.note(node.line(), node.word(1), "'min_auto_priority_delay' is at least 1000 microseconds here: that is used");
    process.packet_thread.min_auto_priority_delay = std::max(delay, least);
}

struct Meaningless {
    std::string_view keyword;
    std::string_view reason;
};
constexpr Meaningless meaningless_rows[] = {
    {"tmp_config_directory", "each process reads the files itself, and no copy of the configuration is written"},
    {"namespace_with_ipsets", "no ipsets are used"},
    {"vrrp_iptables", "no_accept has an nftables table of its own, beside all chains that there are"},
    {"vrrp_ipsets", "no_accept has an nftables table with sets of its own"},
    {"use_symlink_paths", "a script always runs under the name that the file says, and every link on the way to it is checked"},
    {"vrrp_netlink_cmd_rcv_bufs_force", "receive buffers are always forced, where the rights allow it"},
    {"vrrp_netlink_monitor_rcv_bufs_force", "receive buffers are always forced, where the rights allow it"},
    {"lvs_netlink_cmd_rcv_bufs_force", "receive buffers are always forced, where the rights allow it"},
    {"lvs_netlink_monitor_rcv_bufs_force", "receive buffers are always forced, where the rights allow it"},
    {"process_monitor_rcv_bufs_force", "receive buffers are always forced, where the rights allow it"},
    {"vrrp_rx_bufs_policy", "adverts come through a ring whose size follows from the number of routers"},
    {"vrrp_rx_bufs_multiplier", "adverts come through a ring whose size follows from the number of routers"},
    {"kernel_rx_buf_size", "adverts come through a ring whose size follows from the number of routers"},
};

void say_meaningless_here(Context& context, ProcessDefinitions&, const Node& node) { say_meaningless(context.reporter, node); }

constexpr HandlerTable<Handler>::Row handler_rows[] = {
    {"reload_check_config", read_reload_check},
    {"reload_file", read_reload_file},
    {"reload_time_file", [](Context& c, ProcessDefinitions& p, const Node& n) { p.reload.time_file = absolute_path(c, n); }},
    {"reload_repeat", [](Context&, ProcessDefinitions& p, const Node&) { p.reload.repeats = true; }},
    {"config_save_dir", [](Context& c, ProcessDefinitions& p, const Node& n) { p.reload.save_directory = absolute_path(c, n); }},
    {"startup_script", [](Context& c, ProcessDefinitions& p, const Node& n) { p.startup.script = read_command(c, n); }},
    {"startup_script_timeout", [](Context&, ProcessDefinitions& p, const Node& n) { p.startup.timeout = static_cast<std::uint16_t>(number_of(n)); }},
    {"shutdown_script", [](Context& c, ProcessDefinitions& p, const Node& n) { p.shutdown.script = read_command(c, n); }},
    {"shutdown_script_timeout", [](Context&, ProcessDefinitions& p, const Node& n) { p.shutdown.timeout = static_cast<std::uint16_t>(number_of(n)); }},
    {"set_supplementary_groups", [](Context&, ProcessDefinitions& p, const Node& n) { p.set_supplementary_groups = flag_of(n); }},
    {"use_symlink_paths", say_meaningless_here},
    {"process_names", [](Context&, ProcessDefinitions& p, const Node&) { p.process_names = true; }},
    {"process_name", [](Context& c, ProcessDefinitions& p, const Node& n) { p.process_name = process_name(c, n); }},
    {"vrrp_process_name", [](Context& c, ProcessDefinitions& p, const Node& n) { p.vrrp_process_name = process_name(c, n); }},
    {"checker_process_name", [](Context& c, ProcessDefinitions& p, const Node& n) { p.checker_process_name = process_name(c, n); }},
    {"lvs_process_name", [](Context& c, ProcessDefinitions& p, const Node& n) { p.checker_process_name = process_name(c, n); }},
    {"umask", read_umask},
    {"vrrp_cpu_affinity", read_cpus},
    {"vrrp_rlimit_rttime", [](Context&, ProcessDefinitions& p, const Node& n) { p.packet_thread.rlimit_rttime = std::max(2u, number_of(n)); }},
    {"vrrp_rlimit_rtime", [](Context&, ProcessDefinitions& p, const Node& n) { p.packet_thread.rlimit_rttime = std::max(2u, number_of(n)); }},
    {"max_auto_priority", read_auto_priority},
    {"min_auto_priority_delay", read_auto_delay},
    {"vrrp_netlink_cmd_rcv_bufs", [](Context&, ProcessDefinitions& p, const Node& n) { p.netlink_command_buffer = number_of(n); }},
    {"vrrp_netlink_monitor_rcv_bufs", [](Context&, ProcessDefinitions& p, const Node& n) { p.netlink_monitor_buffer = number_of(n); }},
    {"process_monitor_rcv_bufs", [](Context&, ProcessDefinitions& p, const Node& n) { p.process_monitor_buffer = number_of(n); }},
    {"vrrp_netlink_cmd_rcv_bufs_force", say_meaningless_here},
    {"vrrp_netlink_monitor_rcv_bufs_force", say_meaningless_here},
    {"lvs_netlink_cmd_rcv_bufs_force", say_meaningless_here},
    {"lvs_netlink_monitor_rcv_bufs_force", say_meaningless_here},
    {"process_monitor_rcv_bufs_force", say_meaningless_here},
    {"vrrp_rx_bufs_policy", say_meaningless_here},
    {"vrrp_rx_bufs_multiplier", say_meaningless_here},
    {"default_interface", [](Context& c, ProcessDefinitions& p, const Node& n) { p.default_interface = c.texts.intern(n.word(1)); }},
    {"disable_local_igmp", [](Context&, ProcessDefinitions& p, const Node&) { p.disable_local_igmp = true; }},
    {"tmp_config_directory", say_meaningless_here},
    {"vrrp_iptables", say_meaningless_here},
    {"vrrp_ipsets", say_meaningless_here},
};

}  // namespace

void say_meaningless(Reporter& reporter, const Node& node) {
    for (const Meaningless& row : meaningless_rows) {
        if (row.keyword != node.statement().keyword->name) continue;
        reporter.note(node.line(), node.word(0), "'" + std::string(row.keyword) + "' means nothing here: " + std::string(row.reason));
    }
}

void read_child_wait_time(Context& context, const Node& node) {
    ProcessDefinitions& process = context.configuration.global.process;
    process.child_wait_time = number_of(node);
    if (process.child_wait_time != 0) return;
    context.reporter.warning(node.line(), node.word(1), "without a second a process cannot say goodbye on the LAN and take its addresses away: 1 is used");
    process.child_wait_time = 1;
}

void read_process_keyword(Context& context, const Node& node) {
    static const HandlerTable<Handler> handlers(rows::global_keywords(), handler_rows);
    const Handler handler = handlers.find(node.statement().keyword);
    if (handler != nullptr) handler(context, context.configuration.global.process, node);
}

}  // namespace vigil::config
