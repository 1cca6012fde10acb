// KEEPALIVED-MIB: sync groups, what is tracked, and who tracks it.

#include "engine/snmp/tables.h"
#include "engine/snmp/values.h"

namespace vigil::snmp {
namespace {

const Group& group_of(const Row& row) { return of<Group>(row); }
const Scripts& scripts_of(const Row& row) { return of<Group>(row).scripts; }
const Tracked& tracked_of(const Row& row) { return of<Tracked>(row); }
const Script& script_of(const Row& row) { return of<Script>(row); }
const File& file_of(const Row& row) { return of<File>(row); }
const Process& process_of(const Row& row) { return of<Process>(row); }

Object tracked_name(const Row& row) { return text(tracked_of(row).name); }
Object tracked_weight(const Row& row) { return integer(tracked_of(row).weight); }
Object tracked_reverse(const Row& row) { return truth(tracked_of(row).reverse); }

/// In the tables of interfaces the index is that of the interface; elsewhere the entry is counted.
std::vector<Column> tracked_columns(TrackedKind kind) {
    const std::uint32_t first = kind == TrackedKind::interface ? 1 : 2;
    return {{first, tracked_name}, {first + 1, tracked_weight}, {first + 2, tracked_reverse}};
}

void add_rows(Table& table, std::uint32_t owner, const std::vector<Tracked>& list, TrackedKind kind) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (kind == TrackedKind::interface && list[i].interface_index == 0) continue;
        table.rows.push_back({{owner, kind == TrackedKind::interface ? list[i].interface_index : position(i)}, &list[i], nullptr});
    }
}

struct TrackedTable {
    TrackedKind kind;
    std::uint32_t of_instances;
    std::uint32_t of_groups;
};
constexpr TrackedTable tracked_tables[] = {{TrackedKind::interface, 4, 14}, {TrackedKind::script, 5, 15}, {TrackedKind::file, 12, 16},
                                           {TrackedKind::bfd, 17, 19}, {TrackedKind::process, 20, 22}};

void add_tracked_tables(std::vector<Table>& tables, const Picture& picture) {
    for (const TrackedTable& one : tracked_tables) {
        const auto kind = static_cast<std::size_t>(one.kind);
        Table instances{vrrp_entry(one.of_instances), tracked_columns(one.kind), {}};
        for (std::size_t i = 0; i < picture.instances.size(); ++i) {
            add_rows(instances, position(i), picture.settings[picture.instances[i].settings].tracked[kind], one.kind);
        }
        Table groups{vrrp_entry(one.of_groups), tracked_columns(one.kind), {}};
        for (std::size_t i = 0; i < picture.groups.size(); ++i) add_rows(groups, position(i), picture.groups[i].tracked[kind], one.kind);
        tables.push_back(std::move(instances));
        tables.push_back(std::move(groups));
    }
}

template <typename Thing>
void add_list(std::vector<Table>& tables, std::uint32_t number, std::vector<Column> columns, const std::vector<Thing>& list) {
    Table table{vrrp_entry(number), std::move(columns), {}};
    for (std::size_t i = 0; i < list.size(); ++i) table.rows.push_back({{position(i)}, &list[i], nullptr});
    tables.push_back(std::move(table));
}

std::vector<Column> group_columns() {
    return {{2, [](const Row& row) -> Object { return text(group_of(row).name); }},
            {3, [](const Row& row) -> Object { return integer(static_cast<int>(group_of(row).state)); }},
            {4, [](const Row& row) -> Object { return truth(group_of(row).smtp_alert); }},
            {5, [](const Row& row) -> Object { return truth(!scripts_of(row).is_empty()); }},
            {6, [](const Row& row) -> Object { return text_or_none(scripts_of(row).master); }},
            {7, [](const Row& row) -> Object { return text_or_none(scripts_of(row).backup); }},
            {8, [](const Row& row) -> Object { return text_or_none(scripts_of(row).fault); }},
            {9, [](const Row& row) -> Object { return text_or_none(scripts_of(row).any); }},
            {10, [](const Row& row) -> Object { return truth(group_of(row).tracking_weight); }},
            {11, [](const Row& row) -> Object { return text_or_none(scripts_of(row).stop); }}};
}

std::vector<Column> script_columns() {
    return {{2, [](const Row& row) -> Object { return text(script_of(row).name); }},
            {3, [](const Row& row) -> Object { return text(script_of(row).command); }},
            {4, [](const Row& row) -> Object { return integer(script_of(row).interval); }},
            {5, [](const Row& row) -> Object { return integer(script_of(row).weight); }},
            {6, [](const Row& row) -> Object { return integer(script_of(row).result); }},
            {7, [](const Row& row) -> Object { return gauge(script_of(row).rise); }},
            {8, [](const Row& row) -> Object { return gauge(script_of(row).fall); }},
            {9, [](const Row& row) -> Object { return truth(script_of(row).reverse); }}};
}

std::vector<Column> file_columns() {
    return {{2, [](const Row& row) -> Object { return text(file_of(row).name); }},
            {3, [](const Row& row) -> Object { return text(file_of(row).path); }},
            {4, [](const Row& row) -> Object { return integer(file_of(row).value); }},
            {5, [](const Row& row) -> Object { return integer(file_of(row).weight); }},
            {6, [](const Row& row) -> Object { return truth(file_of(row).reverse); }}};
}

std::vector<Column> bfd_columns() {
    return {{2, [](const Row& row) -> Object { return text(file_of(row).name); }},
            {3, [](const Row& row) -> Object { return integer(file_of(row).value); }},
            {4, [](const Row& row) -> Object { return integer(file_of(row).weight); }},
            {5, [](const Row& row) -> Object { return truth(file_of(row).reverse); }}};
}

std::vector<Column> process_columns() {
    return {{2, [](const Row& row) -> Object { return text(process_of(row).name); }},
            {3, [](const Row& row) -> Object { return text(process_of(row).program); }},
            {4, [](const Row& row) -> Object { return text(process_of(row).parameters); }},
            {5, [](const Row& row) -> Object { return integer(process_of(row).match); }},
            {6, [](const Row& row) -> Object { return integer(process_of(row).weight); }},
            {7, [](const Row& row) -> Object { return truth(process_of(row).reverse); }},
            {8, [](const Row& row) -> Object { return gauge(process_of(row).quorum); }},
            {9, [](const Row& row) -> Object { return integer(process_of(row).quorum_max); }},
            {10, [](const Row& row) -> Object { return gauge(process_of(row).fork_delay); }},
            {11, [](const Row& row) -> Object { return gauge(process_of(row).terminate_delay); }},
            {12, [](const Row& row) -> Object { return truth(process_of(row).full_command); }},
            {13, [](const Row& row) -> Object { return integer(process_of(row).count); }},
            {14, [](const Row& row) -> Object { return truth(process_of(row).has_quorum); }}};
}

}  // namespace

void add_group_tables(std::vector<Table>& tables, const Picture& picture) {
    add_list(tables, 1, group_columns(), picture.groups);
    Table members{vrrp_entry(2), {{2, [](const Row& row) -> Object { return text(of<std::string>(row)); }}}, {}};
    for (std::size_t i = 0; i < picture.groups.size(); ++i) {
        const auto& names = picture.groups[i].members;
        for (std::size_t k = 0; k < names.size(); ++k) members.rows.push_back({{position(i), position(k)}, &names[k], nullptr});
    }
    tables.push_back(std::move(members));
}

void add_tracker_tables(std::vector<Table>& tables, const Picture& picture) {
    add_tracked_tables(tables, picture);
    add_list(tables, 9, script_columns(), picture.scripts);
    add_list(tables, 13, file_columns(), picture.files);
    add_list(tables, 18, bfd_columns(), picture.bfds);
    add_list(tables, 21, process_columns(), picture.processes);
}

}  // namespace vigil::snmp
