// The FIFOs of the configuration.
//
// A change of state is one line in each of them. Readers are programs of the operator's, so they may be slow, hang, die or not exist; what that costs
// is lines and a word in the log, never time. A reader that dies is started again, later each time; in the meantime the pipe keeps the lines. (keepalived
// does not start it again, and notifications stop for good.)
//
// A reload keeps what it can: a FIFO whose path and owner are the same, also under the other keyword, and a reader whose command is. A reader that is
// replaced gets SIGTERM, two seconds later SIGKILL, and its successor starts when it is gone: two readers of one FIFO would get half of the lines each.

#include "engine/daemon/notify_fifos.h"

#include <sys/stat.h>

#include <algorithm>
#include <csignal>

#include <spdlog/spdlog.h>

#include "engine/daemon/path_walk.h"
#include "engine/daemon/script_security.h"
#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds tick_period{1};
constexpr Nanoseconds time_to_terminate = std::chrono::seconds{2};
constexpr Nanoseconds time_to_die = std::chrono::seconds{10};
constexpr Nanoseconds loss_report_period = std::chrono::seconds{10};

}  // namespace

std::optional<NotifyFifos::Wanted> NotifyFifos::wanted(const config::NotifyFifo& settings, const config::GlobalDefinitions& global, bool with_reader) {
    if (settings.path.empty()) return std::nullopt;
    Wanted result{std::string(settings.path), std::nullopt, {}};
    if (!settings.user.empty()) {
        const auto owner = find_identity(std::string(settings.user), std::string(settings.group));
        if (!owner) return std::nullopt;   // check_fifos() has said so
        result.owner = FifoOwner{owner->uid, owner->gid};
    }
    if (settings.reader.command.empty() || !with_reader) return result;
    if (auto program = find_script_program(settings.reader, global)) {
        result.reader = {config::split_command(settings.reader.command), program->identity};
        result.reader.arguments.front() = program->path;
        result.reader.arguments.push_back(result.path);
    }
    return result;
}

void NotifyFifos::configure(const config::Configuration& configuration) {
    const config::GlobalDefinitions& global = configuration.global;
    const std::array settings{&global.notify_fifo, teller_ == Teller::vrrp ? &global.vrrp_notify_fifo : &global.lvs.notify_fifo};
    const std::array reads{teller_ != Teller::checkers, true};
    std::array<std::optional<Wanted>, 2> wishes{wanted(*settings[0], global, reads[0]), wanted(*settings[1], global, reads[1])};
    const bool change_places = !is_kept(entries_[0], wishes[0]) && !is_kept(entries_[1], wishes[1]) &&
                               (is_kept(entries_[0], wishes[1]) || is_kept(entries_[1], wishes[0]));
    if (change_places) std::swap(entries_[0], entries_[1]);
    // First all that goes, then what comes: a path may go from one to the other.
    for (std::size_t i = 0; i < entries_.size(); ++i) drop_unwanted(entries_[i], wishes[i]);
    has_refused_ = false;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (wishes[i]) add_wanted(entries_[i], std::move(*wishes[i]), configuration.describe(settings[i]->where));
        const bool lacks_fifo = !settings[i]->path.empty() && !entries_[i].fifo;
        const bool lacks_reader = reads[i] && entries_[i].reader && !settings[i]->reader.command.empty() && entries_[i].reader->program().arguments.empty();
        has_refused_ = has_refused_ || lacks_fifo || lacks_reader;
    }
    start_readers(io::clock::now());
    if (!std::exchange(is_ticking_, true)) tick();
}

bool NotifyFifos::is_kept(const Entry& entry, const std::optional<Wanted>& wanted) {
    return wanted && entry.fifo && entry.fifo->path() == wanted->path && entry.owner == wanted->owner && entry.fifo->is_in_place();
}

bool NotifyFifos::has_refused() const {
    return has_refused_ || std::ranges::any_of(entries_, [](const Entry& entry) { return entry.fifo && !entry.fifo->is_in_place(); });
}

void NotifyFifos::drop_unwanted(Entry& entry, const std::optional<Wanted>& wanted) {
    const bool keeps_fifo = is_kept(entry, wanted);
    if (keeps_fifo && entry.reader->program() == wanted->reader) return;
    if (entry.reader && entry.reader->is_running()) {
        entry.reader->expect_end();
        entry.reader->end(SIGTERM);
        ending_.push_back({std::move(entry.reader), io::clock::now() + time_to_terminate});
    }
    entry.reader.reset();
    if (!keeps_fifo) entry = {};
}

void NotifyFifos::add_wanted(Entry& entry, Wanted wanted, const std::string& where) {
    if (!entry.fifo) {
        auto fifo = Fifo::open(io_, wanted.path, wanted.owner);
        if (!fifo) {
            spdlog::error("{}: {}; nothing is told there", where, fifo.error());
            return;
        }
        entry.fifo = std::move(*fifo);
        entry.owner = wanted.owner;
    }
    if (!entry.reader) entry.reader = std::make_unique<FifoReader>(std::move(wanted.reader));
}

/// Those whose FIFO is still read by a predecessor come later.
void NotifyFifos::start_readers(Instant now) {
    for (Entry& entry : entries_) {
        if (!entry.reader || !entry.fifo) continue;
        const auto is_predecessor = [&](const Ending& one) { return one.reader->program().arguments.back() == entry.fifo->path(); };
        if (std::none_of(ending_.begin(), ending_.end(), is_predecessor)) entry.reader->start(now);
    }
}

void NotifyFifos::kill_overdue(Instant now) {
    for (Ending& one : ending_) {
        if (now < one.kill_at) continue;
        const std::vector<std::string>& arguments = one.reader->program().arguments;
        spdlog::warn("{}, which read {}, does not end: killing it", arguments.front(), arguments.back());
        one.reader->end(SIGKILL);
        one.kill_at = now + time_to_die;
    }
}

void NotifyFifos::tell_instance(std::string_view name, std::string_view state, int priority) {
    if (entries_[0].fifo || entries_[1].fifo) tell(instance_line(name, state, priority));
}

void NotifyFifos::tell_group(std::string_view name, std::string_view state) {
    if (entries_[0].fifo || entries_[1].fifo) tell(group_line(name, state));
}

void NotifyFifos::tell_service(std::string_view service, std::string_view state) {
    if (entries_[0].fifo || entries_[1].fifo) tell(service_line(service, state));
}

void NotifyFifos::tell_server(std::string_view server, std::string_view service, std::string_view state) {
    if (entries_[0].fifo || entries_[1].fifo) tell(server_line(server, service, state));
}

void NotifyFifos::tell(std::string_view line) {
    for (Entry& entry : entries_) {
        if (entry.fifo) entry.fifo->write(line);
    }
}

bool NotifyFifos::on_child_end(pid_t pid, int status) {
    const Instant now = io::clock::now();
    for (Entry& entry : entries_) {
        if (entry.reader && entry.reader->on_child_end(pid, status, now)) return true;
    }
    const auto ended = std::find_if(ending_.begin(), ending_.end(), [&](const Ending& one) { return one.reader->on_child_end(pid, status, now); });
    if (ended == ending_.end()) return false;
    ending_.erase(ended);
    if (is_ticking_) start_readers(now);
    return true;
}

void NotifyFifos::tick() {
    const Instant now = io::clock::now();
    for (Entry& entry : entries_) {
        if (entry.fifo) tell_losses(entry, now);
    }
    kill_overdue(now);
    start_readers(now);
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
    is_ticking_ = false;
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
    return !ending_.empty();
}

void NotifyFifos::end_readers(int signal_number) {
    for (Entry& entry : entries_) {
        if (entry.reader) entry.reader->end(signal_number);
    }
    for (Ending& one : ending_) one.reader->end(signal_number);
}

std::vector<config::Diagnostic> check_fifos(const config::Configuration& configuration) {
    std::vector<config::Diagnostic> found;
    const auto add = [&](config::SourceLocation where, std::string text, std::string help) {
        found.push_back({config::Severity::error, config::Category::host, where, 0, std::move(text), std::move(help), "", false});
    };
    const config::GlobalDefinitions& global = configuration.global;
    for (const config::NotifyFifo* fifo : {&global.notify_fifo, &global.vrrp_notify_fifo, &global.lvs.notify_fifo}) {
        if (fifo->path.empty()) continue;
        const std::string path(fifo->path);
        struct stat directory {};
        if (::stat(parent_of(path).c_str(), &directory) != 0 || !S_ISDIR(directory.st_mode)) {
            add(fifo->where, fmt::format("there is no directory '{}' for the FIFO", parent_of(path)), "make it, or name another path");
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
