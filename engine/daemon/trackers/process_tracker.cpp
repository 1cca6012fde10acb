// Counting processes.
//
// At the start all of /proc is read once. From then on the kernel tells (process_events.h): a process that was started is a copy of its parent, so it is
// counted where its parent is, without a look; one that runs another program or gave itself a new name is looked at; one that ended is
// forgotten. When events were lost, all are looked at again (process_sweep.h), and once more when others are lost meanwhile.
//
// Where the kernel tells nothing (a container, a kernel without the connector), such a look is taken once a second. What lives for less than a second may
// then go unseen.
//
// Changes are gathered: the counts of a batch are compared with the quorum once, so a program that forks a hundred workers is one change.

#include "engine/daemon/trackers/process_tracker.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <spdlog/spdlog.h>

#include "engine/io/clock.h"
#include "engine/io/file_descriptor.h"

namespace vigil::daemon {
namespace {

constexpr std::size_t longest_command_line = 32 * 1024;

/// At most `limit` octets; empty when it cannot be read.
std::string read_text(const std::string& path, std::size_t limit) {
    const io::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 4096> part{};
    while (file.is_open() && text.size() < limit) {
        const ssize_t length = ::read(file.get(), part.data(), part.size());
        if (length <= 0) break;
        text.append(part.data(), static_cast<std::size_t>(length));
    }
    return text;
}

}  // namespace

std::optional<ProcessFacts> read_process(pid_t process, bool with_arguments) {
    const std::string directory = fmt::format("/proc/{}/", process);
    const std::string stat = read_text(directory + "stat", 512);
    const std::string_view name = name_in_stat(stat);
    if (name.empty()) return std::nullopt;
    ProcessFacts facts{std::string(name), {}};
    if (with_arguments) facts.arguments = split_command_line(read_text(directory + "cmdline", longest_command_line));
    return facts;
}

std::vector<pid_t> list_processes() {
    std::vector<pid_t> processes;
    DIR* directory = ::opendir("/proc");
    if (directory == nullptr) return processes;
    while (const dirent* entry = ::readdir(directory)) {
        const char* end = entry->d_name + std::strlen(entry->d_name);
        pid_t process = 0;
        const auto [last, error] = std::from_chars(entry->d_name, end, process);
        if (error == std::errc{} && last == end) processes.push_back(process);
    }
    ::closedir(directory);
    return processes;
}

ProcessTracker::ProcessTracker(boost::asio::io_context& io, TrackedThings& things, RateLimiter& limiter, bool may_listen)
    : things_(things), limiter_(limiter), may_listen_(may_listen), descriptor_(io), timer_(io),
      sweep_(io, {.list = list_processes,
                  .look_at = [this](pid_t process) { look_at(process); },
                  .finish = [this](const std::unordered_set<pid_t>& seen) {
                      forget_those_not_in(seen);
                      settle();
                  }}) {}

ProcessTracker::~ProcessTracker() {
    *alive_ = false;
    hang_up();
}

void ProcessTracker::configure(std::vector<ProcessDefinition> definitions) {
    std::map<std::string, std::unique_ptr<Target>> before = std::exchange(targets_, {});
    bool has_new = false;
    needs_arguments_ = false;
    for (ProcessDefinition& definition : definitions) {
        needs_arguments_ = needs_arguments_ || definition.pattern.has_full_command;
        const auto known = before.find(definition.name);
        if (known != before.end() && known->second->definition == definition) {
            targets_.insert(before.extract(known));
            continue;
        }
        has_new = true;
        auto target = std::make_unique<Target>();
        if (known != before.end()) {
            target->thing = known->second->thing;   // its state stays until it is known anew
            before.erase(known);
        } else {
            target->thing = things_.add({.kind = ThingKind::process, .name = definition.name, .is_known = false, .is_ignored = false, .is_up = false, .value = 0});
        }
        target->definition = std::move(definition);
        targets_.emplace(target->definition.name, std::move(target));
    }
    for (auto& [name, target] : before) things_.remove(target->thing);
    if (targets_.empty()) return hang_up();
    if (!has_new) return;
    if (!events_) listen();   // before the look, so that nothing falls between the two
    look_at_all();
}

void ProcessTracker::listen() {
    if (!may_listen_) return;
    auto events = ProcessEvents::open();
    if (!events) {
        spdlog::info("Tracked processes: reading /proc once a second, because the kernel's process connector cannot be used: {}", events.error());
        may_listen_ = false;
        return;
    }
    spdlog::info("Tracked processes: the kernel's process connector tells of them");
    events_.emplace(std::move(*events));
    size_receive_buffer();
    descriptor_.assign(events_->fd());
    wait_for_events();
}

void ProcessTracker::set_receive_buffer(std::uint32_t octets) {
    receive_buffer_ = octets;
    size_receive_buffer();
}

void ProcessTracker::size_receive_buffer() {
    if (events_ && receive_buffer_ != 0) events_->set_receive_buffer(static_cast<int>(receive_buffer_));
}

/// Nobody cares: the kernel need not tell.
void ProcessTracker::hang_up() {
    if (descriptor_.is_open()) descriptor_.release();
    events_.reset();
}

void ProcessTracker::wait_for_events() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        on_events();
        wait_for_events();
    });
}

void ProcessTracker::on_events() {
    std::vector<ProcessEvent> events;
    const bool is_complete = events_->read(events);
    for (const ProcessEvent& event : events) on_event(event);
    if (!is_complete) {
        if (limiter_.admit("process events were lost", io::clock::now())) spdlog::warn("Process events were lost; looking at all processes again");
        sweep_.begin();
    }
    settle();
}

void ProcessTracker::on_event(const ProcessEvent& event) {
    switch (event.kind) {
    case ProcessEvent::Kind::acknowledged: return;
    case ProcessEvent::Kind::started:
        for (auto& [name, target] : targets_) {
            if (target->processes.contains(event.parent)) put(*target, event.process, true);
        }
        sweep_.on_started(event.process);
        return;
    case ProcessEvent::Kind::changed: return look_at(event.process);
    case ProcessEvent::Kind::ended: return forget(event.process);
    }
}

void ProcessTracker::look_at(pid_t process) {
    const auto facts = read_process(process, needs_arguments_);
    for (auto& [name, target] : targets_) put(*target, process, facts && matches(target->definition.pattern, *facts));
}

void ProcessTracker::forget(pid_t process) {
    for (auto& [name, target] : targets_) put(*target, process, false);
}

void ProcessTracker::put(Target& target, pid_t process, bool is_in) {
    const bool is_change = is_in ? target.processes.insert(process).second : target.processes.erase(process) != 0;
    target.is_changed = target.is_changed || is_change;
}

void ProcessTracker::look_at_all() {
    const std::vector<pid_t> processes = list_processes();
    for (const pid_t process : processes) look_at(process);
    forget_those_not_in({processes.begin(), processes.end()});
    settle();
}

void ProcessTracker::forget_those_not_in(const std::unordered_set<pid_t>& alive) {
    for (auto& [name, target] : targets_) {
        const std::size_t gone = std::erase_if(target->processes, [&](pid_t process) { return !alive.contains(process); });
        target->is_changed = target->is_changed || gone != 0;
    }
}

/// Counts against quorums.
void ProcessTracker::settle() {
    const Instant now = io::clock::now();
    for (auto& [name, target] : targets_) {
        const auto count = static_cast<std::uint32_t>(target->processes.size());
        if (!target->judge) {
            target->judge.emplace(target->definition.limits, count);
            publish(*target);
        } else if (std::exchange(target->is_changed, false) && count != target->judge->count()) {
            spdlog::debug("Process {}, number of current processes changed from {} to {}", name, target->judge->count(), count);
            if (target->judge->on_count(count, now)) publish(*target);
        }
        target->is_changed = false;
    }
    arm_timer();
}

void ProcessTracker::publish(Target& target) {
    const Thing& thing = things_[target.thing];
    const bool has_quorum = target.judge->has_quorum();
    if (!thing.is_known || thing.is_up != has_quorum) {
        spdlog::info("Quorum {} for tracked process {}", has_quorum ? "gained" : "lost", target.definition.name);
    }
    things_.set_up(target.thing, has_quorum);
}

void ProcessTracker::arm_timer() {
    std::optional<Instant> first;
    for (const auto& [name, target] : targets_) {
        const auto due = target->judge ? target->judge->due() : std::nullopt;
        if (due && (!first || *due < *first)) first = due;
    }
    if (!first) return;
    timer_.expires_after(std::max(*first - io::clock::now(), Nanoseconds{0}));
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        const Instant now = io::clock::now();
        for (auto& [name, target] : targets_) {
            if (target->judge && target->judge->on_time(now)) publish(*target);
        }
        arm_timer();
    });
}

void ProcessTracker::tick() {
    if (!targets_.empty() && !events_ && !sweep_.is_under_way()) sweep_.begin();
}

std::optional<ProcessStanding> ProcessTracker::standing(const std::string& name) const {
    const auto found = targets_.find(name);
    if (found == targets_.end()) return std::nullopt;
    const Target& target = *found->second;
    if (!target.judge) return ProcessStanding{.count = target.processes.size()};
    const bool is_due = target.judge->due().has_value();
    return ProcessStanding{target.processes.size(), target.judge->has_quorum(), is_due && target.judge->is_due_by_start(),
                           is_due && !target.judge->is_due_by_start()};
}

std::string ProcessTracker::describe() const {
    std::string text;
    for (const auto& [name, target] : targets_) {
        text += fmt::format(" VRRP Track process = {}\n   {:<26} {}\n   {:<26} {}\n   {:<26} {}\n", name, "Process", target->definition.pattern.program,
                            "Current processes", target->processes.size(), "Have quorum", target->judge && target->judge->has_quorum() ? "yes" : "no");
    }
    return text;
}

}  // namespace vigil::daemon
