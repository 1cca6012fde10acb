#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "ipvs/service.h"

/// From the table that is wanted and the table that is there to the least list of changes. Pure.
namespace vigil::ipvs {

enum class OperationKind : std::uint8_t { new_service, set_service, new_destination, set_destination, delete_destination, delete_service };

/// One request. Points into the tables (or the Changes) that it was made from and lives no longer.
struct Operation {
    OperationKind kind = OperationKind::new_service;
    const Service* service = nullptr;          ///< its key alone counts unless the service itself is written
    const Destination* destination = nullptr;  ///< nullptr when the service itself is meant; of one that is deleted the key counts
};

enum class Departure : std::uint8_t {
    remove,  ///< deleted: its connections end when the next packet finds no server (see expire_nodest_conn)
    drain,   ///< weight 0: its connections go on, new ones go elsewhere
};

struct DiffOptions {
    /// What becomes of a destination that a wanted service has in the kernel and should not have.
    Departure departing = Departure::remove;
    /// Services that an earlier configuration named; those that are not wanted any more are deleted.
    std::span<const ServiceKey> departed{};
    /// lvs_flush: services that nobody named are deleted too. Otherwise they are somebody else's and are left alone.
    bool is_foreign_removed = false;
};

/// What is to be written, in order: services before their destinations, deletions last.
struct Changes {
    std::vector<Operation> operations{};
    std::deque<Destination> drained{};  ///< what operations of Departure::drain point to

    Changes() = default;
    Changes(Changes&&) = default;
    Changes& operator=(Changes&&) = default;
};

/// What makes `found` what is wanted. Of a key that is wanted twice the first counts. Linear in the number of entries. Both tables must live
/// as long as what is returned.
Changes compare_tables(const Table& wanted, const Table& found, const DiffOptions& options = {});

struct DaemonChange {
    bool is_start = false;  ///< else it is stopped
    SyncDaemon daemon{};
};

/// Which sync daemons to stop and to start, stops first: one that already does what is wanted goes on.
std::vector<DaemonChange> compare_daemons(std::span<const SyncDaemon> wanted, std::span<const SyncDaemon> found);

/// "add", "change", "remove".
std::string_view verb(OperationKind kind);

}  // namespace vigil::ipvs
