// The FIFOs of the configuration.
//
// A change of state is one line in each of them. Readers are programs of the operator's, so they may be slow, hang, die or not exist; what that costs
// is lines and a word in the log, never time. A reader that dies is started again, later each time; in the meantime the pipe keeps the lines. (keepalived
// does not start it again, and notifications stop for good.)

#include "engine/daemon/notify_fifos.h"

#include <sys/stat.h>

#include <spdlog/spdlog.h>

#include "engine/daemon/script_security.h"
#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds tick_period{1};
constexpr Nanoseconds loss_report_period = std::chrono::seconds{10};

std::string directory_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }

}  // namespace

std::optional<NotifyFifos::Wanted> NotifyFifos::wanted(const config::NotifyFifo& settings, const config::GlobalDefinitions& global) {
    if (settings.path.empty()) return std::nullopt;
    Wanted result{std::string(settings.path), std::nullopt, {}};
    if (!settings.user.empty()) {
        const auto owner = find_identity(std::string(settings.user), std::string(settings.group));
        if (!owner) return std::nullopt;   // check_fifos() has said so
        result.owner = FifoOwner{owner->uid, owner->gid};
    }
    if (settings.reader.command.empty()) return result;
    if (auto program = find_script_program(settings.reader, global)) {
        result.reader = {config::split_command(settings.reader.command), program->identity};
        result.reader.arguments.front() = program->path;
        result.reader.arguments.push_back(result.path);
    }
    return result;
}

void NotifyFifos::configure(const config::Configuration& configuration) {
    const config::GlobalDefinitions& global = configuration.global;
    const std::array settings{&global.notify_fifo, &global.vrrp_notify_fifo};
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        settle(entries_[i], wanted(*settings[i], global), configuration.describe(settings[i]->where));
    }
    if (!std::exchange(is_ticking_, true)) tick();
}

void NotifyFifos::settle(Entry& entry, std::optional<Wanted> wanted, const std::string& where) {
    const bool keeps_fifo = wanted && entry.fifo && entry.fifo->path() == wanted->path && entry.owner == wanted->owner;
    const bool keeps_reader = keeps_fifo && entry.reader->program() == wanted->reader;
    if (keeps_reader) return;
    entry.reader.reset();
    if (!keeps_fifo) {
        entry = {};
        if (!wanted) return;
        auto fifo = Fifo::open(io_, wanted->path, wanted->owner);
        if (!fifo) {
            spdlog::error("{}: {}; nothing is told there", where, fifo.error());
            return;
        }
        entry.fifo = std::move(*fifo);
        entry.owner = wanted->owner;
    }
    entry.reader = std::make_unique<FifoReader>(std::move(wanted->reader));
    entry.reader->start(io::clock::now());
}

void NotifyFifos::tell_instance(std::string_view name, std::string_view state, int priority) {
    if (entries_[0].fifo || entries_[1].fifo) tell(instance_line(name, state, priority));
}

void NotifyFifos::tell_group(std::string_view name, std::string_view state) {
    if (entries_[0].fifo || entries_[1].fifo) tell(group_line(name, state));
}

void NotifyFifos::tell(std::string_view line) {
    for (Entry& entry : entries_) {
        if (entry.fifo) entry.fifo->write(line);
    }
}

bool NotifyFifos::on_child_end(pid_t pid, int status) {
    for (Entry& entry : entries_) {
        if (entry.reader && entry.reader->on_child_end(pid, status, io::clock::now())) return true;
    }
    return false;
}

void NotifyFifos::tick() {
    const Instant now = io::clock::now();
    for (Entry& entry : entries_) {
        if (entry.reader) entry.reader->start(now);
        if (entry.fifo) tell_losses(entry, now);
    }
    timer_.expires_after(tick_period);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (*alive && !error) tick();
    });
}

void NotifyFifos::tell_losses(Entry& entry, Instant now) {
    entry.lost += entry.fifo->take_lost_count();
    if (entry.lost == 0 || (entry.told_at != Instant{} && now - entry.told_at < loss_report_period)) return;
    spdlog::warn("{} is full, because it is not read: {} lines were lost", entry.fifo->path(), std::exchange(entry.lost, 0));
    entry.told_at = now;
}

bool NotifyFifos::is_read() {
    bool is_done = true;
    for (Entry& entry : entries_) {
        if (!entry.fifo) continue;
        entry.fifo->flush();
        const bool has_reader = entry.reader && entry.reader->is_running();
        is_done = is_done && (entry.fifo->kept_bytes() == 0) && (!has_reader || entry.fifo->unread_bytes() == 0);
    }
    return is_done;
}

void NotifyFifos::close() {
    timer_.cancel();
    for (Entry& entry : entries_) {
        if (!entry.fifo) continue;
        tell_losses(entry, io::clock::now());
        entry.reader->expect_end();
        entry.fifo.reset();
    }
}

bool NotifyFifos::has_readers() const {
    for (const Entry& entry : entries_) {
        if (entry.reader && entry.reader->is_running()) return true;
    }
    return false;
}

void NotifyFifos::end_readers(int signal_number) {
    for (Entry& entry : entries_) {
        if (entry.reader) entry.reader->end(signal_number);
    }
}

std::vector<config::Diagnostic> check_fifos(const config::Configuration& configuration) {
    std::vector<config::Diagnostic> found;
    const auto add = [&](config::SourceLocation where, std::string text, std::string help) {
        found.push_back({config::Severity::error, config::Category::ordinary, where, 0, std::move(text), std::move(help), "", false});
    };
    for (const config::NotifyFifo* fifo : {&configuration.global.notify_fifo, &configuration.global.vrrp_notify_fifo}) {
        if (fifo->path.empty()) continue;
        const std::string path(fifo->path);
        struct stat directory {};
        if (::stat(directory_of(path).c_str(), &directory) != 0 || !S_ISDIR(directory.st_mode)) {
            add(fifo->where, fmt::format("there is no directory '{}' for the FIFO", directory_of(path)), "make it, or name another path");
        } else if (const std::string other = what_else_is_at(path); !other.empty()) {
            add(fifo->where, fmt::format("'{}' {}, not a FIFO: nothing is told there", path, other), "remove it, or name another path");
        }
        if (fifo->user.empty()) continue;
        const auto owner = find_identity(std::string(fifo->user), std::string(fifo->group));
        if (!owner) add(fifo->where, owner.error() + ": there is no FIFO", "name the owner of the FIFO, or leave it out");
    }
    return found;
}

}  // namespace vigil::daemon
