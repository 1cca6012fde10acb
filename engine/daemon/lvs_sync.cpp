#include "engine/daemon/lvs_sync.h"

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
    namespace_ = settings.namespace_name;
    place_.has_namespace = settings.has_namespace;
    place_.namespace_name = namespace_;
    const std::optional<ipvs::SyncDaemon> before = daemon_;
    daemon_ = settings.sync_daemon ? std::optional(sync_daemon(*settings.sync_daemon)) : std::nullopt;
    std::string instance(settings.sync_daemon ? settings.sync_daemon->instance : std::string_view());
    const bool is_same_instance = std::exchange(instance_, instance) == instance;
    if (!is_same_instance) is_active_ = false;
    if (is_same_instance && before == daemon_) return;
    if (!daemon_ && client_) {
        if (const auto ended = client_->set_daemons({}); !ended) spdlog::error("lvs_sync_daemon: {}", netlink::to_string(ended.error()));
        client_.reset();
    }
    apply();
}

void LvsSync::on_state(OperatorState state) {
    const bool is_active = state == OperatorState::master;
    if (std::exchange(is_active_, is_active) != is_active) apply();
}

void LvsSync::end() {
    timer_.cancel();
    daemon_.reset();
    if (!client_) return;
    if (const auto ended = client_->set_daemons({}); !ended) spdlog::error("lvs_sync_daemon: {}", netlink::to_string(ended.error()));
    client_.reset();
}

void LvsSync::say(const std::string& text) {
    if (std::exchange(trouble_, text) != text) spdlog::error(text);
}

void LvsSync::apply() {
    if (!daemon_) return;
    std::vector<ipvs::SyncDaemon> wanted;
    const auto want = [&](ipvs::SyncRole role) {
        wanted.push_back(*daemon_);
        wanted.back().role = role;
    };
    if (instance_.empty() || is_active_) want(ipvs::SyncRole::active);
    if (instance_.empty() || !is_active_) want(ipvs::SyncRole::backup);
    std::string problem;
    if (!client_) {
        if (auto client = open_ipvs(place_)) client_.emplace(std::move(*client));
        else problem = describe_ipvs_error(client.error());
    }
    if (client_) {
        const auto changes = client_->set_daemons(wanted);
        if (!changes) problem = fmt::format("lvs_sync_daemon on {}: {}. Trying again", daemon_->interface, netlink::to_string(changes.error()));
        else if (*changes != 0) spdlog::info("IPVS sync daemon on {}: {}", daemon_->interface, wanted.size() == 2 ? "master and backup" : is_active_ ? "master" : "backup");
    }
    if (problem.empty()) return trouble_.clear();
    say(problem);
    timer_.expires_after(retry_period);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (*alive && !error) apply();
    });
}

}  // namespace vigil::daemon
