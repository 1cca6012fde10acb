/// real_server: from its block to a RealServer. The virtual server's defaults are there already; what many real servers have in common goes into the
/// pool. Checks go to the port that the file says, also where the service takes another one: with DR the director changes no port, but the file may.

#include "config/interpreter.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

struct Target {
    Context& context;
    RealServer& server;
    RealServerSettings& settings;
};

void read_script(Target& target, std::optional<NotifyScript>& script, const Node& node) {
    if (script) {
        target.context.reporter.error(node.line(), node.word(0),
                                      in_quotes(node.word(0)) + " was given on line " + std::to_string(script->where.line) + " already: this one is ignored");
        return;
    }
    script = read_command(target.context, node);
}

void read_keyword(Target& target, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    const auto count = [&] { return static_cast<std::uint32_t>(read_number(node.word(1))->value); };
    const auto flag = [&] { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); };
    if (name == "weight") target.server.weight = static_cast<std::int32_t>(count());
    else if (name == "inhibit_on_failure") target.settings.inhibit_on_failure = flag();
    else if (name == "lvs_method") target.settings.forwarding = read_forwarding(target.context, node).value_or(target.settings.forwarding);
    else if (name == "uthreshold") target.settings.upper_threshold = count();
    else if (name == "lthreshold") target.settings.lower_threshold = count();
    else if (name == "notify_up") read_script(target, target.settings.notify_up, node);
    else if (name == "notify_down") read_script(target, target.settings.notify_down, node);
    else if (name == "smtp_alert") target.settings.smtp_alert = flag();
    else if (name == "snmp_name") target.server.snmp_name = target.context.texts.intern(node.word(1));
}

void check_thresholds(Target& target, const Node& block) {
    RealServerSettings& settings = target.settings;
    if (settings.upper_threshold == 0 || settings.lower_threshold <= settings.upper_threshold) return;
    target.context.reporter.error(block.line(), block.word(1), "lthreshold is greater than uthreshold, which the kernel refuses: it is ignored",
                                  "a server that was full gets connections again when there are fewer than lthreshold");
    settings.lower_threshold = 0;
}

}  // namespace

void read_real_server(Context& context, VirtualServer& service, const ServerDraft& draft, const Node& block) {
    RealServer server;
    RealServerSettings settings;
    CheckDefaults defaults;
    server.address = *read_endpoint_address(block.word(1));
    server.where = block.where(1);
    server.weight = service.weight;
    settings.forwarding = service.forwarding;
    settings.inhibit_on_failure = draft.inhibit_on_failure;
    if (block.word_count() > 2) server.port = static_cast<std::uint16_t>(read_number(block.word(2))->value);
    if (server.port == 0) server.port = service.port;
    Target target{context, server, settings};
    block.for_each_child([&](const Node& node) {
        const Statement& statement = node.statement();
        if (statement.is_deaf || statement.keyword->child != BlockId::none || !check_arguments(context.reporter, node)) return;
        if (!read_check_default(context, defaults, node)) read_keyword(target, node);
    });
    check_thresholds(target, block);
    defaults.inherit(draft.defaults);
    settings.alpha = defaults.alpha.value_or(false);

    CheckerList checkers;
    const CheckedServer checked{server, server.port, defaults};
    block.for_each_child([&](const Node& node) {
        const Statement& statement = node.statement();
        if (statement.keyword->child == BlockId::none) return;
        if (statement.is_deaf) check_block(context.reporter, node);
        else read_checker(context, checkers, checked, node);
    });
    server.settings = context.servers.pool.keep(std::move(settings));
    server.checkers = context.servers.pool.keep(std::move(checkers));
    service.real_servers.push_back(server);
}

}  // namespace vigil::config
