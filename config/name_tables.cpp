/// iproute2's name tables. A line is "NUMBER NAME", in /etc/protocols "NAME NUMBER [ALIAS ...]"; # begins a comment. The administrator's files are
/// read after the vendor's, those in a `.d` directory after the file beside it, and what is read later wins; but no file changes the kernel's own names (that of
/// FRR says 196 is static, beside the kernel's 4).

#include "config/name_tables.h"

#include <span>
#include <utility>
#include <vector>

#include "config/load.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

struct BuiltIn {
    std::string_view name;
    std::uint32_t number;
};

constexpr BuiltIn tables[] = {{"default", 253}, {"main", 254}, {"local", 255}};
constexpr BuiltIn protocols[] = {{"unspec", 0}, {"redirect", 1}, {"kernel", 2},   {"boot", 3},    {"static", 4},      {"gated", 8},
                                 {"ra", 9},     {"mrt", 10},     {"zebra", 11},   {"bird", 12},   {"dnrouted", 13},   {"xorp", 14},
                                 {"ntk", 15},   {"dhcp", 16},    {"mrouted", 17}, {"keepalived", 18}, {"babel", 42},  {"bgp", 186},
                                 {"isis", 187}, {"ospf", 188},   {"rip", 189},    {"eigrp", 192}};
constexpr BuiltIn scopes[] = {{"global", 0}, {"universe", 0}, {"site", 200}, {"link", 253}, {"host", 254}, {"nowhere", 255}};
constexpr BuiltIn realms[] = {{"unknown", 0}};
constexpr BuiltIn dsfields[] = {{"default", 0}};
constexpr BuiltIn groups[] = {{"default", 0}};
constexpr BuiltIn ip_protocols[] = {{"icmp", 1},  {"igmp", 2}, {"ipencap", 4}, {"tcp", 6},      {"udp", 17},   {"dccp", 33},  {"ipv6", 41},  {"gre", 47},
                                    {"esp", 50},  {"ah", 51},  {"icmpv6", 58}, {"ipv6-icmp", 58}, {"ospf", 89}, {"pim", 103}, {"vrrp", 112}, {"l2tp", 115},
                                    {"sctp", 132}, {"udplite", 136}};

struct Description {
    std::string_view file;
    std::span<const BuiltIn> built_in;
    std::uint32_t greatest;
};

const Description& description_of(NameKind kind) {
    static constexpr Description descriptions[] = {
        {"rt_tables", tables, 0xffff'ffff}, {"rt_protos", protocols, 255}, {"rt_scopes", scopes, 255},          {"rt_realms", realms, 0xffff},
        {"rt_dsfield", dsfields, 255},      {"group", groups, 0xffff'ffff}, {"/etc/protocols", ip_protocols, 255},
    };
    return descriptions[static_cast<std::size_t>(kind)];
}

template <typename Take>
void for_each_line(std::string_view text, Take take) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        line = line.substr(0, line.find('#'));
        std::vector<std::string_view> words;
        for (line = trim(line); !line.empty(); line = trim(line.substr(words.back().size()))) words.push_back(first_word(line));
        if (words.size() >= 2) take(words);
    }
}

std::vector<std::string> paths_of(std::string_view file, const FileSystem& files, const NameDirectories& directories) {
    std::vector<std::string> folders;
    if (directories.vendor.empty()) folders = {"/usr/lib/iproute2", "/usr/share/iproute2"};
    else folders.emplace_back(directories.vendor);
    folders.emplace_back(directories.admin.empty() ? "/etc/iproute2" : directories.admin);
    std::vector<std::string> paths;
    for (const std::string& folder : folders) {
        const std::string path = folder + '/' + std::string(file);
        paths.push_back(path);
        for (std::string& more : files.glob(path + ".d/*.conf")) paths.push_back(std::move(more));
    }
    return paths;
}

}  // namespace

std::string_view NameTables::file_of(NameKind kind) { return description_of(kind).file; }

const NameTables::Names& NameTables::names_of(NameKind kind, const FileSystem& files, const NameDirectories& directories) {
    Table& table = tables_[static_cast<std::size_t>(kind)];
    if (std::exchange(table.is_read, true)) return table.names;
    const Description& description = description_of(kind);
    const bool is_protocols = kind == NameKind::ip_protocol;
    const auto take = [&](std::string_view name, std::string_view number) {
        const auto value = read_based_number(number);
        if (value && *value >= 0 && *value <= description.greatest) table.names.insert_or_assign(std::string(name), static_cast<std::uint32_t>(*value));
    };
    const auto paths = is_protocols ? std::vector<std::string>{std::string(description.file)} : paths_of(description.file, files, directories);
    for (const std::string& path : paths) {
        const auto text = files.read(path);
        if (!text) continue;
        for_each_line(*text, [&](const std::vector<std::string_view>& words) {
            if (!is_protocols) return take(words[1], words[0]);
            for (std::size_t i = 0; i < words.size(); ++i) {
                if (i != 1) take(words[i], words[1]);
            }
        });
    }
    for (const BuiltIn& one : description.built_in) table.names.insert_or_assign(std::string(one.name), one.number);
    return table.names;
}

std::optional<std::uint32_t> NameTables::find(NameKind kind, std::string_view word, const FileSystem& files, const NameDirectories& directories) {
    if (const auto number = read_based_number(word)) {
        if (*number < 0 || *number > description_of(kind).greatest) return std::nullopt;
        return static_cast<std::uint32_t>(*number);
    }
    const Names& names = names_of(kind, files, directories);
    const auto found = names.find(std::string(word));
    if (found == names.end()) return std::nullopt;
    return found->second;
}

}  // namespace vigil::config
