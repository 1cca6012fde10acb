// The difference of two tables.
//
// A daemon that starts finds in the kernel what its earlier life has left there, with connections on it. Deleting and writing again would
// break them, so what is already right is not touched, and what differs is changed in place: the kernel keeps the connections of a service or
// destination that is SET. Only keys decide what belongs together; a service of another address, port, protocol or family is another service.
//
// Order. A destination needs its service, so services go first. Deletions go last, so that at no moment fewer servers answer than before
// and after. A service is deleted with its destinations, which need no requests of their own.
//
// Whose is what: a service that the configuration names is ours with all its destinations, whoever made it. Others are left alone unless
// the caller says that they were ours (DiffOptions::departed) or that everything is (is_foreign_removed).
//
// Finding is by hash over indices into vectors that are there anyway: 37,205 destinations in 2,277 services are compared in some milliseconds, and
// the index of one service's destinations is used again for the next, so that nothing is allocated for each.

#include "ipvs/table.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <unordered_set>

namespace vigil::ipvs {

namespace {

constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

const ServiceKey& key_of(const ServiceEntry& entry) { return entry.service.key; }
const DestinationKey& key_of(const Destination& destination) { return destination.key; }

/// Positions in a vector by key; open addressing, at most half full.
class KeyIndex {
public:
    /// Of equal keys the first is found.
    template <typename Item>
    void fill(const std::vector<Item>& items) {
        clear(items.size());
        for (std::uint32_t position = 0; position < items.size(); ++position) insert(items, position);
    }

    void clear(std::size_t capacity) { slots_.assign(std::bit_ceil(capacity * 2 + 1), nowhere); }

    /// False when an equal key is there already.
    template <typename Item>
    bool insert(const std::vector<Item>& items, std::uint32_t position) {
        std::uint32_t& slot = slot_of(items, key_of(items[position]));
        if (slot != nowhere) return false;
        slot = position;
        return true;
    }

    template <typename Item, typename Key>
    std::uint32_t find(const std::vector<Item>& items, const Key& key) {
        return slot_of(items, key);
    }

private:
    template <typename Item, typename Key>
    std::uint32_t& slot_of(const std::vector<Item>& items, const Key& key) {
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = KeyHash{}(key) & mask;
        while (slots_[at] != nowhere && !(key_of(items[slots_[at]]) == key)) at = (at + 1) & mask;
        return slots_[at];
    }

    std::vector<std::uint32_t> slots_;
};

class Comparison {
public:
    Comparison(const Table& wanted, const Table& found, const DiffOptions& options) : wanted_(wanted), found_(found), options_(options) {}

    Changes run() {
        compare_services();
        for (std::uint32_t i = 0; i < wanted_.size(); ++i) {
            if (is_counted_[i]) compare_destinations(wanted_[i], found_at_[i]);
        }
        auto& operations = changes_.operations;
        operations.insert(operations.end(), deletions_.begin(), deletions_.end());
        delete_services();
        return std::move(changes_);
    }

private:
    void add(OperationKind kind, const ServiceEntry& entry, const Destination* destination = nullptr) {
        changes_.operations.push_back({kind, &entry.service, destination});
    }

    void compare_services() {
        KeyIndex found_index;
        found_index.fill(found_);
        wanted_index_.clear(wanted_.size());
        found_at_.assign(wanted_.size(), nowhere);
        is_counted_.assign(wanted_.size(), false);
        for (std::uint32_t i = 0; i < wanted_.size(); ++i) {
            is_counted_[i] = wanted_index_.insert(wanted_, i);
            if (!is_counted_[i]) continue;
            found_at_[i] = found_index.find(found_, wanted_[i].service.key);
            if (found_at_[i] == nowhere) {
                add(OperationKind::new_service, wanted_[i]);
            } else if (!is_same_service(wanted_[i].service, found_[found_at_[i]].service)) {
                add(OperationKind::set_service, wanted_[i]);
            }
        }
    }

    void compare_destinations(const ServiceEntry& wanted, std::uint32_t found_at) {
        static const std::vector<Destination> none;
        const std::vector<Destination>& found = found_at == nowhere ? none : found_[found_at].destinations;
        wanted_destinations_.clear(wanted.destinations.size());
        found_destinations_.fill(found);
        for (std::uint32_t i = 0; i < wanted.destinations.size(); ++i) {
            if (!wanted_destinations_.insert(wanted.destinations, i)) continue;
            const Destination& destination = wanted.destinations[i];
            const std::uint32_t there = found_destinations_.find(found, destination.key);
            if (there == nowhere) {
                add(OperationKind::new_destination, wanted, &destination);
            } else if (!is_same_destination(destination, found[there])) {
                add(OperationKind::set_destination, wanted, &destination);
            }
        }
        for (const Destination& destination : found) {
            if (wanted_destinations_.find(wanted.destinations, destination.key) == nowhere) let_go(wanted, destination);
        }
    }

    void let_go(const ServiceEntry& entry, const Destination& destination) {
        if (options_.departing == Departure::remove) {
            deletions_.push_back({OperationKind::delete_destination, &entry.service, &destination});
            return;
        }
        if (destination.weight == 0) return;
        changes_.drained.push_back(destination);
        changes_.drained.back().weight = 0;
        deletions_.push_back({OperationKind::set_destination, &entry.service, &changes_.drained.back()});
    }

    void delete_services() {
        const std::unordered_set<ServiceKey, KeyHash> departed(options_.departed.begin(), options_.departed.end());
        for (const ServiceEntry& entry : found_) {
            if (wanted_index_.find(wanted_, entry.service.key) != nowhere) continue;
            if (options_.is_foreign_removed || departed.contains(entry.service.key)) add(OperationKind::delete_service, entry);
        }
    }

    const Table& wanted_;
    const Table& found_;
    const DiffOptions& options_;
    Changes changes_;
    std::vector<Operation> deletions_;
    std::vector<std::uint32_t> found_at_;  ///< per wanted service, or nowhere
    std::vector<bool> is_counted_;         ///< per wanted service: the first of its key
    KeyIndex wanted_index_, wanted_destinations_, found_destinations_;
};

}  // namespace

Changes compare_tables(const Table& wanted, const Table& found, const DiffOptions& options) { return Comparison(wanted, found, options).run(); }

std::vector<DaemonChange> compare_daemons(std::span<const SyncDaemon> wanted, std::span<const SyncDaemon> found) {
    const auto runs = [&](const SyncDaemon& one) { return std::ranges::any_of(found, [&](const auto& other) { return is_same_daemon(one, other); }); };
    const auto is_wanted = [&](const SyncDaemon& one) {
        return std::ranges::any_of(wanted, [&](const auto& other) { return is_same_daemon(other, one); });
    };
    std::vector<DaemonChange> changes;
    for (const SyncDaemon& daemon : found) {
        if (!is_wanted(daemon)) changes.push_back({false, daemon});
    }
    for (const SyncDaemon& daemon : wanted) {
        if (!runs(daemon)) changes.push_back({true, daemon});
    }
    return changes;
}

std::string_view verb(OperationKind kind) {
    switch (kind) {
        case OperationKind::new_service:
        case OperationKind::new_destination: return "add";
        case OperationKind::set_service:
        case OperationKind::set_destination: return "change";
        case OperationKind::delete_destination:
        case OperationKind::delete_service: return "remove";
    }
    return "write";
}

}  // namespace vigil::ipvs
