#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ipvs/service.h"

/// From what checks say to the table that is wanted. Pure: no clock, no socket, no kernel.
namespace vigil::ipvs {

/// Names a check for the pool: positions in the list of results that it was made with.
enum class CheckIndex : std::uint32_t {};

/// What is known of one check.
struct CheckResult {
    bool is_up = true;
    std::optional<std::int32_t> weight{};   ///< takes the place of the configured one (MISC_CHECK with misc_dynamic)
    std::int64_t added_weight = 0;          ///< is added to it (FILE_CHECK)

    friend bool operator==(const CheckResult&, const CheckResult&) = default;
};

/// A real server.
struct PooledServer {
    Destination destination{};          ///< its weight is the configured one
    bool is_inhibited = false;          ///< inhibit_on_failure: weight 0 in place of leaving the table
    std::vector<CheckIndex> checks{};   ///< it is up when all of them are

    friend bool operator==(const PooledServer&, const PooledServer&) = default;
};

struct PooledSorryServer {
    Destination destination{};
    bool is_inhibited = false;          ///< sorry_server_inhibit: stays in the table with weight 0 while it is not needed

    friend bool operator==(const PooledSorryServer&, const PooledSorryServer&) = default;
};

/// A virtual server.
struct PooledService {
    std::string name{};                 ///< no two have the same: a reload knows it by this
    std::vector<Service> services{};    ///< of the kernel; those of a group are several, with the same servers each
    std::vector<PooledServer> servers{};
    std::optional<PooledSorryServer> sorry{};
    std::uint32_t quorum = 1;           ///< least weight of live servers
    std::uint32_t hysteresis = 0;       ///< less than `quorum`

    friend bool operator==(const PooledService&, const PooledService&) = default;
};

/// Something that others are told of.
struct PoolEvent {
    enum class Kind : std::uint8_t { server_up, server_down, weight_changed, quorum_gained, quorum_lost, sorry_in, sorry_out };
    Kind kind = Kind::server_up;
    std::uint32_t service = 0;   ///< of ServerPool::services()
    std::uint32_t server = 0;    ///< of PooledService::servers, where it is about one
    std::int64_t weight = 0;     ///< of the server before and now; of a quorum: what live servers weigh
    std::int64_t before = 0;     ///< weight_changed: what it was

    friend bool operator==(const PoolEvent&, const PoolEvent&) = default;
};

class PoolSuccession;

class ServerPool {
public:
    /// Parts of two tables: what differs. The services of both are the same.
    struct Difference {
        Table wanted{};
        Table before{};
    };

    ServerPool() = default;
    /// `results`: of each check that the servers name, as it stands now. There are no events of a start: what is, is.
    ServerPool(std::vector<PooledService> services, std::vector<CheckResult> results);

    /// Takes the place of `before` (a reload): a quorum that was there goes on by its hysteresis, and what is different for a server or a service that both have becomes
    /// an event.
    void succeed(const ServerPool& before, const PoolSuccession& succession);
    /// The services whose entries in the table are not those of `before`, with all their destinations; what both have alike is in neither. Everything, when a service that
    /// is alike shares a key with one that is not.
    Difference difference_from(const ServerPool& before, const PoolSuccession& succession) const;

    /// Linear in the servers that this check is for; in those of a service when its quorum is gained or lost.
    void on_result(CheckIndex check, const CheckResult& result);

    /// What on_result() has changed in the table since the last call.
    Difference take_difference();
    std::vector<PoolEvent> take_events() { return std::exchange(events_, {}); }
    /// All of it.
    Table wanted() const;

    const std::vector<PooledService>& services() const { return services_; }
    bool is_up(std::uint32_t service, std::uint32_t server) const { return states_[service].servers[server].is_up(); }
    /// Configured, and what checks have made of it; at least 0.
    std::int32_t weight(std::uint32_t service, std::uint32_t server) const;
    bool has_quorum(std::uint32_t service) const { return states_[service].has_quorum; }
    /// What its live servers weigh.
    std::int64_t live_weight(std::uint32_t service) const { return states_[service].live_weight; }
    const CheckResult& result(CheckIndex check) const { return results_[static_cast<std::uint32_t>(check)]; }

private:
    static constexpr std::int64_t absent = -1;

    struct ServerState {
        std::int64_t weight = 0;     // configured and all that is added; may be negative
        std::int64_t told = absent;  // weight in the table that was taken last
        std::uint32_t down = 0;      // of its checks
        bool is_touched = false;

        bool is_up() const { return down == 0; }
    };
    struct ServiceState {
        std::vector<ServerState> servers;
        ServerState sorry;
        std::int64_t live_weight = 0;
        std::uint32_t twin = 0;      // the real server that is the sorry server, too; none: how many there are
        bool has_quorum = false;
        bool is_touched = false;
    };
    struct Use {
        std::uint32_t service;
        std::uint32_t server;
    };

    static std::int32_t usable(std::int64_t weight);
    void settle(ServiceState& state);
    std::int64_t live_weight_of(const ServerState& server) const { return server.is_up() ? usable(server.weight) : 0; }
    std::int64_t shown_weight(std::uint32_t service, std::uint32_t server) const;
    std::int64_t sorry_weight(std::uint32_t service) const;
    void change(Use use, const CheckResult& before, const CheckResult& now);
    void touch(std::uint32_t service, ServerState& server);
    void judge(std::uint32_t service);
    void change_quorum(std::uint32_t service, bool has_quorum);
    std::vector<Destination> destinations(std::uint32_t service) const;
    void tell_of_changed_servers(const ServerPool& before, const PoolSuccession& succession, std::uint32_t service);
    bool has_same_entries(std::uint32_t service, const ServerPool& before, std::uint32_t its_before) const;
    void list_uses();

    std::vector<PooledService> services_;
    std::vector<ServiceState> states_;
    std::vector<CheckResult> results_;
    std::vector<Use> uses_;                   // by check; those of check i are at first_use_[i] .. first_use_[i + 1]
    std::vector<std::uint32_t> first_use_;
    std::vector<std::uint32_t> touched_;      // services
    std::vector<PoolEvent> events_;
};

}  // namespace vigil::ipvs
