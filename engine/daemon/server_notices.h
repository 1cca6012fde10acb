#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/model.h"
#include "engine/daemon/outlets.h"
#include "engine/daemon/script_security.h"
#include "ipvs/server_pool.h"

namespace vigil::daemon {

/// Who is told that a real server or a quorum came or went: the log, notify scripts, FIFOs, mail. Checkers' control thread.
class ServerNotices {
public:
    /// Outlives it.
    explicit ServerNotices(Outlets& outlets) : outlets_(outlets) {}

    /// From now on; `configuration` lives until the next call. Which scripts may run is looked up here; check_scripts() has told of the others.
    void configure(const config::Configuration& configuration);
    /// `cause`: why a server went down, as its checker says; may be empty.
    void on_event(const ipvs::PoolEvent& event, std::string_view cause);
    /// A service begins.
    void on_start(std::uint32_t service, bool has_quorum);
    /// Its last words, which only omega wants: whoever is up goes down.
    void say_goodbye(const ipvs::ServerPool& pool);
    /// The state that a server begins with, for rs_init_notifies: scripts and FIFOs, no mail.
    void on_first_state(std::uint32_t service, std::uint32_t server, bool is_up);

    bool has_refused_scripts() const { return has_refused_; }

private:
    using Command = std::tuple<std::string, std::string, std::string>;   // with user and group

    void log(const ipvs::PoolEvent& event, std::string_view cause) const;
    void tell_server(std::uint32_t service, std::uint32_t server, bool is_up, std::string_view cause);
    void tell_quorum(std::uint32_t service, bool is_up, std::string_view reason);
    void call(const std::optional<config::NotifyScript>& script, std::string_view keyword, const std::string& subject);

    const config::VirtualServer& service(std::uint32_t index) const { return configuration_->virtual_servers[index]; }

    Outlets& outlets_;
    const config::Configuration* configuration_ = nullptr;
    std::map<Command, ScriptProgram> programs_;
    bool has_refused_ = false;
};

}  // namespace vigil::daemon
