// The kernel's table, as it should be.
//
// While all goes well only differences are written, straight from what the pool says has changed. Whatever goes wrong ends the same way: the table is read, and
// what differs from the wanted one is written, again and again, a second later, then two, four, up to half a minute. So a kernel whose module comes later, a service that
// somebody has deleted and a scheduler that is installed meanwhile need no operator.
//
// What is wrong is said when it is new, not at each attempt.

#include "engine/daemon/ipvs_programmer.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <spdlog/spdlog.h>

#include "engine/io/file_descriptor.h"

namespace vigil::daemon {
namespace {

constexpr std::size_t most_refusals = 10;   // told one by one
constexpr unsigned slowest = 5;             // 2^5 seconds between attempts
constexpr std::string_view namespace_trouble = "net_namespace_ipvs: ";

}  // namespace

/// An empty name is the namespace of the first process.
ipvs::KernelResult<void> in_ipvs_namespace(const config::LvsDefinitions& settings, const std::function<ipvs::KernelResult<void>()>& open) {
    if (!settings.has_namespace) return open();
    const std::string path = settings.namespace_name.empty() ? "/proc/1/ns/net" : "/run/netns/" + std::string(settings.namespace_name);
    const io::FileDescriptor here(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    const io::FileDescriptor there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (here.get() < 0 || there.get() < 0 || ::setns(there.get(), CLONE_NEWNET) != 0) {
        return netlink::refused(errno, fmt::format("{}cannot enter {}", namespace_trouble, path));
    }
    auto opened = open();
    if (::setns(here.get(), CLONE_NEWNET) != 0) {
        spdlog::critical("Cannot return from {}: {}", path, std::strerror(errno));
        std::abort();   // checks and sockets would be in the wrong namespace from here on; the parent starts another process
    }
    return opened;
}

ipvs::KernelResult<ipvs::Client> open_ipvs(const config::LvsDefinitions& settings) {
    std::optional<ipvs::Client> client;
    const auto opened = in_ipvs_namespace(settings, [&]() -> ipvs::KernelResult<void> {
        auto one = ipvs::Client::open();
        if (!one) return tl::unexpected(one.error());
        client.emplace(std::move(*one));
        return {};
    });
    if (!opened) return tl::unexpected(opened.error());
    return std::move(*client);
}

std::string describe_ipvs_error(const ipvs::KernelError& error) {
    if (error.error_number != ENOENT || error.text.starts_with(namespace_trouble)) return fmt::format("Cannot program IPVS: {}. Trying again", netlink::to_string(error));
    return "This kernel has no IPVS, so no virtual server works: it needs the module ip_vs (modprobe ip_vs; CONFIG_IP_VS; in a container the host has to load it). "
           "Trying again until it is there";
}

IpvsProgrammer::IpvsProgrammer(boost::asio::io_context& io, std::function<ipvs::Table()> wanted) : timer_(io), wanted_(std::move(wanted)) {}

void IpvsProgrammer::configure(const config::LvsDefinitions& settings) {
    const bool has_new_timeouts = timeouts_ != settings.timeouts;
    timeouts_ = settings.timeouts;
    if (is_started_ && (settings.has_namespace != settings_.has_namespace || settings.namespace_name != namespace_)) {
        spdlog::warn("net_namespace_ipvs does not change while vigild runs");
    }
    if (!std::exchange(is_started_, true)) {
        is_flush_due_ = settings.flush_at_start;
        namespace_ = settings.namespace_name;   // the text of a configuration that may go
        settings_.has_namespace = settings.has_namespace;
        settings_.namespace_name = namespace_;
    } else if (has_new_timeouts && client_) {
        write_timeouts();
    }
}

void IpvsProgrammer::say(const std::string& text) {
    if (std::exchange(trouble_, text) != text) spdlog::error(text);
}

bool IpvsProgrammer::open() {
    if (client_) return true;
    auto client = open_ipvs(settings_);
    if (!client) {
        say(describe_ipvs_error(client.error()));
        return false;
    }
    client_.emplace(std::move(*client));
    write_settings();
    return true;
}

/// What is not in the table.
void IpvsProgrammer::write_settings() {
    if (std::exchange(is_flush_due_, false)) {
        if (const auto flushed = client_->flush(); !flushed) spdlog::error("lvs_flush: {}", netlink::to_string(flushed.error()));
    }
    write_timeouts();
}

/// What the file does not say is what was there before us.
void IpvsProgrammer::write_timeouts() {
    if (timeouts_ == config::LvsTimeouts{} && !timeouts_before_) return;
    if (!timeouts_before_) {
        const auto found = client_->timeouts();
        timeouts_before_ = found ? *found : ipvs::Timeouts{};
    }
    const ipvs::Timeouts wanted{timeouts_.tcp.value_or(timeouts_before_->tcp), timeouts_.tcp_fin.value_or(timeouts_before_->tcp_fin),
                                timeouts_.udp.value_or(timeouts_before_->udp)};
    if (const auto written = client_->set_timeouts(wanted); !written) spdlog::error("lvs_timeouts: {}", netlink::to_string(written.error()));
}

ipvs::Table IpvsProgrammer::found() {
    if (!open()) return {};
    auto table = client_->table();
    return table ? std::move(*table) : ipvs::Table{};
}

void IpvsProgrammer::program() {
    is_in_step_ = false;
    if (!open()) return try_again();
    const std::vector<ipvs::ServiceKey> departed(departed_.begin(), departed_.end());
    const auto outcome = client_->program(wanted_(), {.departed = departed});
    if (!outcome) {
        client_.reset();
        say(fmt::format("Cannot read the table of IPVS: {}. Trying again", netlink::to_string(outcome.error())));
        return try_again();
    }
    tell(*outcome);
    if (is_in_step_) departed_.clear();
    spdlog::debug("IPVS: {} changes written", outcome->operation_count);
}

void IpvsProgrammer::apply(const ipvs::ServerPool::Difference& difference) {
    if (!client_) return;   // all of it follows
    const ipvs::Changes changes = ipvs::compare_tables(difference.wanted, difference.before);
    if (changes.operations.empty()) return;
    const bool was_in_step = is_in_step_;
    if (const ipvs::Outcome outcome = client_->apply(changes.operations); was_in_step || !outcome.refusals.empty()) tell(outcome);
}

void IpvsProgrammer::change(const ipvs::Table& wanted, const ipvs::Table& before) {
    for (const ipvs::ServiceEntry& entry : before) departed_.insert(entry.service.key);
    for (const ipvs::ServiceEntry& entry : wanted) departed_.erase(entry.service.key);
    if (!is_in_step_) return program();
    const std::vector<ipvs::ServiceKey> departed(departed_.begin(), departed_.end());
    const ipvs::Changes changes = ipvs::compare_tables(wanted, before, {.departed = departed});
    if (!changes.operations.empty()) tell(client_->apply(changes.operations));
    if (is_in_step_) departed_.clear();
}

void IpvsProgrammer::remove(const ipvs::Table& ours, bool everything) {
    timer_.cancel();
    is_waiting_ = false;   // also when its time has come already, behind us in the queue
    if (!client_) return;
    timeouts_ = {};
    write_timeouts();
    if (everything) {
        if (const auto flushed = client_->flush(); !flushed) spdlog::error("lvs_flush_on_stop: {}", netlink::to_string(flushed.error()));
        return;
    }
    for (const ipvs::ServiceEntry& entry : ours) departed_.insert(entry.service.key);
    const std::vector<ipvs::ServiceKey> departed(departed_.begin(), departed_.end());
    const auto outcome = client_->remove(departed);
    if (!outcome) spdlog::error("Cannot take the virtual servers out of IPVS: {}", netlink::to_string(outcome.error()));
    else for (const ipvs::Refusal& refusal : outcome->refusals) spdlog::error(ipvs::to_string(refusal));
}

void IpvsProgrammer::tell(const ipvs::Outcome& outcome) {
    is_in_step_ = outcome.refusals.empty() && !outcome.is_stale;
    if (is_in_step_) {
        if (!std::exchange(trouble_, {}).empty()) spdlog::info("IPVS has the virtual servers now");
        attempts_ = 0;
        return;
    }
    std::string text;
    for (std::size_t i = 0; i < std::min(outcome.refusals.size(), most_refusals); ++i) text += (i == 0 ? "IPVS: " : "; ") + ipvs::to_string(outcome.refusals[i]);
    if (outcome.refusals.size() > most_refusals) text += fmt::format("; and {} refusals more", outcome.refusals.size() - most_refusals);
    if (!text.empty()) say(text + ". Trying again");
    try_again();
}

void IpvsProgrammer::try_again() {
    if (std::exchange(is_waiting_, true)) return;
    timer_.expires_after(std::chrono::seconds{1u << std::min(attempts_++, slowest)});
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (*alive && std::exchange(is_waiting_, false) && !error) program();
    });
}

}  // namespace vigil::daemon
