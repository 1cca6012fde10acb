#include "engine/snmp/object_tree.h"

#include <algorithm>

namespace vigil::snmp {
namespace {

bool is_less(OidView left, OidView right) { return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end()); }

bool starts_with(OidView oid, OidView prefix) { return oid.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), oid.begin()); }

Oid join(OidView entry, std::uint32_t column, OidView index) {
    Oid oid;
    oid.reserve(entry.size() + 1 + index.size());
    oid.assign(entry.begin(), entry.end());
    oid.push_back(column);
    oid.insert(oid.end(), index.begin(), index.end());
    return oid;
}

/// Of `table`, the first object behind entry.`rest`.
std::optional<std::pair<Oid, Value>> next_in(const Table& table, OidView rest) {
    const auto first = rest.empty() ? table.columns.begin()
                                    : std::lower_bound(table.columns.begin(), table.columns.end(), rest[0], [](const Column& one, std::uint32_t number) { return one.number < number; });
    for (auto column = first; column != table.columns.end(); ++column) {
        auto row = table.rows.begin();
        if (!rest.empty() && column->number == rest[0]) {
            row = std::upper_bound(table.rows.begin(), table.rows.end(), rest.subspan(1), [](OidView index, const Row& one) { return is_less(index, one.index); });
        }
        for (; row != table.rows.end(); ++row) {
            if (auto value = column->get(*row)) return std::pair{join(table.entry, column->number, row->index), std::move(*value)};
        }
    }
    return std::nullopt;
}

}  // namespace

ObjectTree::ObjectTree(std::vector<Table> tables) : tables_(std::move(tables)) {
    std::sort(tables_.begin(), tables_.end(), [](const Table& left, const Table& right) { return left.entry < right.entry; });
    for (Table& table : tables_) {
        const auto by_index = [](const Row& left, const Row& right) { return left.index < right.index; };
        if (!std::is_sorted(table.rows.begin(), table.rows.end(), by_index)) std::stable_sort(table.rows.begin(), table.rows.end(), by_index);
        const auto same = [](const Row& left, const Row& right) { return left.index == right.index; };
        table.rows.erase(std::unique(table.rows.begin(), table.rows.end(), same), table.rows.end());
    }
}

std::optional<Value> ObjectTree::get(OidView oid) const {
    for (const Table& table : tables_) {
        if (!starts_with(oid, table.entry) || oid.size() == table.entry.size()) continue;
        const OidView rest = oid.subspan(table.entry.size());
        const auto column = std::find_if(table.columns.begin(), table.columns.end(), [&](const Column& one) { return one.number == rest[0]; });
        if (column == table.columns.end()) continue;   // of another group of scalars, perhaps
        const OidView index = rest.subspan(1);
        const auto row = std::lower_bound(table.rows.begin(), table.rows.end(), index, [](const Row& one, OidView wanted) { return is_less(one.index, wanted); });
        if (row == table.rows.end() || !std::equal(index.begin(), index.end(), row->index.begin(), row->index.end())) return std::nullopt;
        return column->get(*row);
    }
    return std::nullopt;
}

/// Scalars may stand beside tables below one OID (mib.1.0 and mib.5.1.2.3): so every table is asked, and there are some thirty.
std::optional<std::pair<Oid, Value>> ObjectTree::next(OidView oid) const {
    std::optional<std::pair<Oid, Value>> best;
    for (const Table& table : tables_) {
        if (best && !is_less(table.entry, best->first)) break;
        std::optional<std::pair<Oid, Value>> found;
        if (starts_with(oid, table.entry)) found = next_in(table, oid.subspan(table.entry.size()));
        else if (is_less(oid, table.entry)) found = next_in(table, {});
        if (found && (!best || found->first < best->first)) best = std::move(found);
    }
    return best;
}

}  // namespace vigil::snmp
