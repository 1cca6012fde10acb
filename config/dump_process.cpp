#include "config/dump_writer.h"

namespace vigil::config {

namespace {

void write_reload(Writer& out, const ReloadDefinitions& reload) {
    if (reload.checks_first) out.line("reload_check_config", reload.check_log);
    if (reload.makes_file) out.line("reload_file", reload.file);
    out.text("reload_time_file", reload.time_file);
    out.flag("reload_repeat", reload.repeats);
    out.text("config_save_dir", reload.save_directory);
}

void write_script(Writer& out, const std::string& name, const ParentScript& script) {
    if (script.script.command.empty()) return;
    std::string text = quoted_command(script.script.command);
    for (const std::string_view word : {script.script.user, script.script.group}) {
        if (!word.empty()) (text += ' ') += word;
    }
    out.line(name, text);
    out.number(name + "_timeout", script.timeout);
}

void write_packet_thread(Writer& out, const PacketThreadDefinitions& thread) {
    if (!thread.cpus.empty()) {
        std::string cpus;
        for (const std::uint16_t cpu : thread.cpus) cpus += (cpus.empty() ? "" : " ") + std::to_string(cpu);
        out.line("vrrp_cpu_affinity", cpus);
    }
    if (thread.rlimit_rttime != 0) out.number("vrrp_rlimit_rttime", thread.rlimit_rttime);
    if (thread.max_auto_priority != 0) out.line("max_auto_priority", std::to_string(thread.max_auto_priority));
    if (thread.min_auto_priority_delay != PacketThreadDefinitions{}.min_auto_priority_delay) {
        out.number("min_auto_priority_delay", thread.min_auto_priority_delay);
    }
}

void write_buffer(Writer& out, std::string_view name, std::uint32_t octets) {
    if (octets != 0) out.number(name, octets);
}

std::string octal(unsigned mode) {
    std::string text;
    for (const unsigned shift : {6u, 3u, 0u}) text += static_cast<char>('0' + (mode >> shift & 7));
    return text;
}

}  // namespace

void write_process_definitions(Writer& out, const ProcessDefinitions& process) {
    write_reload(out, process.reload);
    write_script(out, "startup_script", process.startup);
    write_script(out, "shutdown_script", process.shutdown);
    out.flag("set_supplementary_groups", process.set_supplementary_groups);
    out.flag("process_names", process.process_names);
    out.text("process_name", process.process_name);
    out.text("vrrp_process_name", process.vrrp_process_name);
    out.text("checker_process_name", process.checker_process_name);
    if (process.umask) out.line("umask", octal(*process.umask));
    write_packet_thread(out, process.packet_thread);
    write_buffer(out, "vrrp_netlink_cmd_rcv_bufs", process.netlink_command_buffer);
    write_buffer(out, "vrrp_netlink_monitor_rcv_bufs", process.netlink_monitor_buffer);
    write_buffer(out, "process_monitor_rcv_bufs", process.process_monitor_buffer);
    out.flag("disable_local_igmp", process.disable_local_igmp);
    if (process.default_interface != ProcessDefinitions{}.default_interface) out.line("default_interface", process.default_interface);
}

}  // namespace vigil::config
