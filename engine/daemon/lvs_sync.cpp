#include "engine/daemon/lvs_sync.h"

#include <boost/asio/post.hpp>

#include <utility>

#include <spdlog/spdlog.h>

#include "engine/daemon/ipvs_programmer.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds retry_period{5};

ipvs::SyncDaemon sync_daemon(const config::LvsSyncDaemon& from) {
    return {.role = ipvs::SyncRole::backup, .interface = std::string(from.interface), .sync_id = from.id, .longest_payload = from.max_length, .group = from.group,
            .port = from.port, .ttl = from.ttl};
}

}  // namespace

void LvsSync::configure(const config::LvsDefinitions& settings) {
    if (!std::exchange(has_place_, true)) {   // as the table's, it does not change
        namespace_ = settings.namespace_name;
        place_.has_namespace = settings.has_namespace;
        place_.namespace_name = namespace_;
    }
    const std::optional<ipvs::SyncDaemon> before = daemon_;
    daemon_ = settings.sync_daemon ? std::optional(sync_daemon(*settings.sync_daemon)) : std::nullopt;
    std::string instance(settings.sync_daemon ? settings.sync_daemon->instance : std::string_view());
    const bool is_same_instance = std::exchange(instance_, instance) == instance;
    if (!is_same_instance) is_active_ = false;
    if (is_same_instance && before == daemon_) return;
    is_anew_ = is_anew_ || (before && daemon_ && before != daemon_);
    plan();
}

void LvsSync::on_state(OperatorState state) {
    const bool is_active = state == OperatorState::master;
    if (std::exchange(is_active_, is_active) != is_active) plan();
}

void LvsSync::end() {
    timer_.cancel();
    daemon_.reset();
    if (client_) apply();
    timer_.cancel();
}

/// A reload says farewell to an instance, changes the settings and names the state of another one: the kernel's thread for that role just goes on.
void LvsSync::plan() {
    if (std::exchange(is_planned_, true)) return;
    boost::asio::post(io_, [this, alive = alive_] {
        if (*alive) apply();
    });
}

void LvsSync::say(const std::string& text) {
    if (std::exchange(trouble_, text) != text) spdlog::error(text);
}

std::vector<ipvs::SyncDaemon> LvsSync::wanted() const {
    std::vector<ipvs::SyncDaemon> wanted;
    const auto want = [&](ipvs::SyncRole role) {
        wanted.push_back(*daemon_);
        wanted.back().role = role;
    };
    if (daemon_ && (instance_.empty() || is_active_)) want(ipvs::SyncRole::active);
    if (daemon_ && (instance_.empty() || !is_active_)) want(ipvs::SyncRole::backup);
    return wanted;
}

netlink::KernelResult<std::size_t> LvsSync::write() {
    if (is_anew_) {
        if (const auto ended = client_->set_daemons({}); !ended) return ended;
        is_anew_ = false;
    }
    return client_->set_daemons(wanted());
}

void LvsSync::apply() {
    is_planned_ = false;
    if (!daemon_ && !client_) return;
    std::string problem;
    if (!client_) {
        if (auto client = open_ipvs(place_)) client_.emplace(std::move(*client));
        else problem = describe_ipvs_error(client.error());
    }
    if (client_) {
        const auto changes = write();
        const std::string where = daemon_ ? " on " + daemon_->interface : "";
        if (!changes) problem = fmt::format("lvs_sync_daemon{}: {}. Trying again", where, netlink::to_string(changes.error()));
        else if (*changes != 0) spdlog::info("IPVS sync daemon{}: {}", where, !daemon_ ? "stopped" : instance_.empty() ? "master and backup" : is_active_ ? "master" : "backup");
    }
    if (problem.empty()) {
        if (!daemon_) client_.reset();
        return trouble_.clear();
    }
    say(problem);
    timer_.expires_after(retry_period);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (*alive && !error) apply();
    });
}

}  // namespace vigil::daemon
