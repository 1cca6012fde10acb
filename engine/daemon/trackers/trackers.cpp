#include "engine/daemon/trackers/trackers.h"

#include <unordered_set>

#include "engine/daemon/reporter.h"
#include "engine/daemon/script_security.h"
#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds tick_period{1};

using Names = std::unordered_set<std::string_view>;

Names tracked_names(const config::Configuration& configuration, std::vector<config::TrackedItem> config::VrrpInstance::* list) {
    Names names;
    for (const config::VrrpInstance& instance : configuration.instances) {
        for (const config::TrackedItem& item : instance.*list) names.insert(item.name);
    }
    return names;
}

/// Without arguments when it may not run, which check_scripts() has said.
ScriptDefinition define(const config::VrrpScript& script, const config::GlobalDefinitions& global) {
    ScriptDefinition definition;
    definition.name = script.name;
    definition.interval = script.interval;
    definition.timeout = script.timeout > Nanoseconds{0} ? script.timeout : script.interval;
    definition.rise = script.rise;
    definition.fall = script.fall;
    definition.starts_as_failed = script.init_fail;
    if (const auto program = find_script_program(script.command, global)) {
        definition.arguments = program_words(script.command.command);
        definition.arguments.front() = program->path;
        definition.identity = program->identity;
    }
    return definition;
}

FileDefinition define(const config::TrackedFile& file) {
    FileDefinition definition{std::string(file.name), std::string(file.path), file.initial_value, file.overwrite};
    return definition;
}

ProcessDefinition define(const config::TrackedProcess& process) {
    ProcessDefinition definition;
    definition.name = process.name;
    definition.pattern = {std::string(process.program), {process.parameters.begin(), process.parameters.end()}, process.match, process.full_command};
    definition.limits = {process.quorum, process.quorum_max, process.fork_delay, process.terminate_delay};
    return definition;
}

}  // namespace

Trackers::Trackers(boost::asio::io_context& io, int bfd_fd)
    : timer_(io), scripts_(io, things_, limiter_), files_(io, things_, limiter_), processes_(io, things_, limiter_), bfd_(io, things_, bfd_fd),
      interfaces_(io) {
    tick();
}

Trackers::~Trackers() { *alive_ = false; }

void Trackers::configure(const config::Configuration& configuration) {
    const Names scripts = tracked_names(configuration, &config::VrrpInstance::track_scripts);
    const Names files = tracked_names(configuration, &config::VrrpInstance::track_files);
    const Names processes = tracked_names(configuration, &config::VrrpInstance::track_processes);
    std::vector<ScriptDefinition> script_definitions;
    for (const config::VrrpScript& one : configuration.scripts) {
        if (scripts.contains(one.name)) script_definitions.push_back(define(one, configuration.global));
    }
    std::vector<FileDefinition> file_definitions;
    for (const config::TrackedFile& one : configuration.tracked_files) {
        if (files.contains(one.name)) file_definitions.push_back(define(one));
    }
    std::vector<ProcessDefinition> process_definitions;
    for (const config::TrackedProcess& one : configuration.tracked_processes) {
        if (processes.contains(one.name)) process_definitions.push_back(define(one));
    }
    std::vector<std::string> sessions;
    const Names bfds = tracked_names(configuration, &config::VrrpInstance::track_bfds);
    for (const config::BfdInstance& one : configuration.bfd_instances) {
        if (bfds.contains(one.name)) sessions.emplace_back(one.name);
    }
    bfd_.configure(sessions);
    files_.configure(std::move(file_definitions), std::exchange(is_start_, false));
    processes_.set_receive_buffer(configuration.global.process.process_monitor_buffer);
    processes_.configure(std::move(process_definitions));
    scripts_.configure(std::move(script_definitions));
    interfaces_.configure(configuration.interfaces);
}

void Trackers::tick() {
    timer_.expires_after(tick_period);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        const Instant now = io::clock::now();
        write_summaries(limiter_, now);
        files_.tick();
        processes_.tick();
        interfaces_.poll(now);
        tick();
    });
}

}  // namespace vigil::daemon
