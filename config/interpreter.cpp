#include "config/interpreter.h"

#include "config/words.h"

namespace vigil::config {

namespace {

/// Root level keywords without a block.
void read_root_keyword(Context& context, const Node& node) {
    GlobalDefinitions& global = context.configuration.global;
    const std::string_view name = node.statement().keyword->name;
    if (name == "net_namespace") global.net_namespace = context.texts.intern(node.word(1));
    else if (name == "instance") global.instance = context.texts.intern(node.word(1));
    else if (name == "use_pid_dir") global.use_pid_dir = true;
    else if (name == "child_wait_time") read_child_wait_time(context, node);
    else if (name == "net_namespace_ipvs") read_lvs_namespace(context, node);
    else if (name == "linkbeat_use_polling") context.configuration.interfaces.polls_all = true;
    else say_meaningless(context.reporter, node);
}

void read_root_statement(Context& context, const Node& node) {
    const Statement& statement = node.statement();
    if (statement.keyword == nullptr || statement.is_deaf) return;
    if (!check_arguments(context.reporter, node)) {
        check_block(context.reporter, node);
        return;
    }
    switch (statement.keyword->child) {
        case BlockId::global_defs: return read_global_definitions(context, node);
        case BlockId::vrrp_instance: return read_vrrp_instance(context, node);
        case BlockId::vrrp_script: return read_vrrp_script(context, node);
        case BlockId::track_file: return read_tracked_file(context, node);
        case BlockId::vrrp_track_process: return read_tracked_process(context, node);
        case BlockId::bfd_instance: return read_bfd_instance(context, node);
        case BlockId::vrrp_sync_group: return read_sync_group(context, node);
        case BlockId::track_group: return read_track_group(context, node);
        case BlockId::static_address_list: return read_static_addresses(context, node);
        case BlockId::static_route_list: return read_static_routes(context, node);
        case BlockId::static_rule_list: return read_static_rules(context, node);
        case BlockId::garp_group: return read_garp_group(context, node);
        case BlockId::virtual_server: return read_virtual_server(context, node);
        case BlockId::server_group_list: return read_server_group(context, node);
        case BlockId::ssl: return read_tls_client(context, node);
        case BlockId::none: read_root_keyword(context, node); break;
        case BlockId::text_list: read_interface_list(context, node); break;
        default: break;
    }
    if (statement.keyword->status == Status::later) report_later(context.reporter, node);
}

}  // namespace

void Interpreter::on_block(const BlockTree& tree) {
    for (std::uint32_t index = 0; index < tree.statements.size(); index = tree.statements[index].end) {
        read_root_statement(context_, Node{tree, index});
    }
}

std::optional<std::uint32_t> Context::find_name(NameKind kind, std::string_view word) {
    const FileSystem& file_system = options.file_system == nullptr ? host_file_system() : *options.file_system;
    const GlobalDefinitions& global = configuration.global;
    return names.find(kind, word, file_system, {global.iproute_usr_dir, global.iproute_etc_dir});
}

NotifyScript read_command(Context& context, const Node& node) {
    const std::vector<std::string_view> words = command_words(node.statement().text);
    NotifyScript script;
    script.where = node.where();
    if (words.size() > 1) script.command = context.texts.intern(plain_word(words[1]));
    if (words.size() > 2) script.user = context.texts.intern(plain_word(words[2]));
    if (words.size() > 3) {
        const std::string group = plain_word(words[3]);
        script.group = context.texts.intern(std::string_view(group).substr(group.starts_with(':') ? 1 : 0));
    }
    return script;
}

bool add_script(Context& context, std::vector<NotifyScript>& scripts, const Node& node, ScriptEvent event) {
    if (const NotifyScript* first = find_script(scripts, event)) {
        context.reporter.error(node.line(), node.word(0),
                               "'" + std::string(node.word(0)) + "' was given on line " + std::to_string(first->where.line) +
                                   " already: this one is ignored");
        return false;
    }
    NotifyScript script = read_command(context, node);
    if (script.command.empty()) return false;
    script.event = event;
    scripts.push_back(script);
    return true;
}

std::string_view keyword_of(ScriptEvent event) {
    switch (event) {
        case ScriptEvent::any: return "notify";
        case ScriptEvent::master: return "notify_master";
        case ScriptEvent::backup: return "notify_backup";
        case ScriptEvent::fault: return "notify_fault";
        case ScriptEvent::stop: return "notify_stop";
        case ScriptEvent::deleted: return "notify_deleted";
        case ScriptEvent::master_rx_lower_priority: return "notify_master_rx_lower_pri";
    }
    return "";
}

const NotifyScript* find_script(const std::vector<NotifyScript>& scripts, ScriptEvent event) {
    for (const NotifyScript& script : scripts) {
        if (script.event == event) return &script;
    }
    return nullptr;
}

}  // namespace vigil::config
