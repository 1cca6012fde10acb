/// The keywords of global_defs that concern processes, files and the host. A daemon has no directory of its own, so every path is absolute.
///
/// Some of them steer what keepalived is made of and vigil is not: a copy of the configuration for the child processes, a receive buffer for
/// each socket. They are taken with a note that says so.

#include "config/process_definitions.h"

#include "config/handler_table.h"
#include "config/interpreter.h"
#include "config/keyword_rows.h"

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

struct Meaningless {
    std::string_view keyword;
    std::string_view reason;
};
constexpr Meaningless meaningless_rows[] = {
    {"tmp_config_directory", "each process reads the files itself, and no copy of the configuration is written"},
    {"namespace_with_ipsets", "no ipsets are used"},
    {"vrrp_iptables", "no_accept has an nftables table of its own, beside all chains that there are"},
    {"vrrp_ipsets", "no_accept has an nftables table with sets of its own"},
};

void say_meaningless_here(Context& context, ProcessDefinitions&, const Node& node) { say_meaningless(context.reporter, node); }

constexpr HandlerTable<Handler>::Row handler_rows[] = {
    {"reload_check_config", read_reload_check},
    {"reload_file", read_reload_file},
    {"reload_time_file", [](Context& c, ProcessDefinitions& p, const Node& n) { p.reload.time_file = absolute_path(c, n); }},
    {"reload_repeat", [](Context&, ProcessDefinitions& p, const Node&) { p.reload.repeats = true; }},
    {"config_save_dir", [](Context& c, ProcessDefinitions& p, const Node& n) { p.reload.save_directory = absolute_path(c, n); }},
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

void read_process_keyword(Context& context, const Node& node) {
    static const HandlerTable<Handler> handlers(rows::global_keywords(), handler_rows);
    const Handler handler = handlers.find(node.statement().keyword);
    if (handler != nullptr) handler(context, context.configuration.global.process, node);
}

}  // namespace vigil::config
