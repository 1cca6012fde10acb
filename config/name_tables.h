#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vigil::config {

class FileSystem;

/// What iproute2 has names for, and /etc/protocols.
enum class NameKind : std::uint8_t { table, protocol, scope, realm, dsfield, group, ip_protocol };

/// Where iproute2's tables are. Empty: /usr/lib/iproute2 and /usr/share/iproute2; /etc/iproute2.
struct NameDirectories {
    std::string_view vendor;
    std::string_view admin;
};

/// Names to numbers as iproute2 reads them: a number stands for itself (0x and 0 prefixes too), the kernel's own names are known without a file, all others
/// come from rt_tables and so on of the vendor's and the administrator's directory, with their `.d` directories. Files are read when a name is
/// first asked for. Not for use by two threads at once.
class NameTables {
public:
    /// nullopt: no such name, or a number that is too great.
    std::optional<std::uint32_t> find(NameKind kind, std::string_view word, const FileSystem& files, const NameDirectories& directories);
    /// "rt_tables": for messages.
    static std::string_view file_of(NameKind kind);

private:
    using Names = std::unordered_map<std::string, std::uint32_t>;
    static constexpr std::size_t kind_count = 7;

    struct Table {
        Names names;
        bool is_read = false;
    };
    const Names& names_of(NameKind kind, const FileSystem& files, const NameDirectories& directories);

    std::array<Table, kind_count> tables_;
};

}  // namespace vigil::config
