#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vigil::snmp {

using Oid = std::vector<std::uint32_t>;
using OidView = std::span<const std::uint32_t>;

/// SMIv2 types of what is served.
enum class Type : std::uint8_t { integer, gauge, counter, counter64, octets, ip_address, ticks };

struct Value {
    Type type = Type::integer;
    std::variant<std::int64_t, std::string> content = std::int64_t{0};   ///< octets and ip_address: the string

    friend bool operator==(const Value&, const Value&) = default;
};

/// One row of a table: its index, and what the getters of the columns look at.
struct Row {
    Oid index;
    const void* thing = nullptr;   ///< the record that the row tells of
    const void* owner = nullptr;   ///< what that belongs to; may be null
};

/// nullopt: this row has no such object.
using Getter = std::optional<Value> (*)(const Row& row);

struct Column {
    std::uint32_t number = 0;
    Getter get = nullptr;
};

/// OIDs are entry.column.index. A group of scalars is a table with one row whose index is 0.
struct Table {
    Oid entry;
    std::vector<Column> columns;   ///< ascending
    std::vector<Row> rows;         ///< ascending by index after ObjectTree's making
};

/// All objects, in their order. A lookup is a binary search over the rows of one table, of which a GETNEXT may visit more only where rows lack the object.
class ObjectTree {
public:
    ObjectTree() = default;
    /// Rows and tables in any order. Of rows with the same index one is kept.
    explicit ObjectTree(std::vector<Table> tables);

    std::optional<Value> get(OidView oid) const;
    /// The first object behind `oid`, which need not exist.
    std::optional<std::pair<Oid, Value>> next(OidView oid) const;

private:
    std::vector<Table> tables_;
};

}  // namespace vigil::snmp
