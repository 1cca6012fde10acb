// The files that SIGUSR1, SIGUSR2 and the JSON signal write.
//
// keepalived writes them to fixed names in /tmp, and exporters read them there. Whoever can write to /tmp could prepare a link, or a file of his own for
// the exporter to believe. So the file is made under a name that nobody knows before, and renamed over whatever there is, which replaces a link and does not follow it;
// and without TMPDIR it is made in a directory where only root writes, with a link at the name in /tmp, which the kernel lets everybody follow because it
// is root's (fs.protected_symlinks). A reader sees the old file or the new one, never half of one.

#include "engine/daemon/dump_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>

#include <fmt/format.h>

#include "engine/daemon/path_walk.h"

namespace vigil::daemon {
namespace {

constexpr unsigned most_names = 100;

struct Naming {
    std::string_view usual;
    std::string_view configured;
};

Naming naming_of(DumpKind kind, const config::GlobalDefinitions& global) {
    switch (kind) {
    case DumpKind::state: return {"keepalived.data", global.state_dump_file};
    case DumpKind::statistics: return {"keepalived.stats", global.stats_dump_file};
    case DumpKind::json: return {"keepalived.json", global.json_dump_file};
    case DumpKind::sessions: return {"keepalived_bfd.data", {}};
    case DumpKind::servers: return {"keepalived_check.data", {}};
    }
    return {};
}

/// ".NAMESPACE_INSTANCE", as data_use_instance asks for.
std::string suffix_of(const config::GlobalDefinitions& global) {
    if (!global.data_use_instance || (global.net_namespace.empty() && global.instance.empty())) return {};
    const bool has_both = !global.net_namespace.empty() && !global.instance.empty();
    return fmt::format(".{}{}{}", global.net_namespace, has_both ? "_" : "", global.instance);
}

std::string with_reason(const char* what, const std::string& path) { return fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)); }

/// A link at a name that nobody can foresee, and take, renamed over the old one: at no moment there is nothing.
tl::expected<void, std::string> put_link(const std::string& target, const std::string& path) {
    std::random_device random;
    std::string side;
    int result = -1;
    for (unsigned i = 0; i < most_names && result != 0; ++i) {
        side = fmt::format("{}.{:08x}{:08x}", path, random(), random());
        result = ::symlink(target.c_str(), side.c_str());
        if (result != 0 && errno != EEXIST) break;
    }
    if (result != 0) return tl::unexpected(with_reason("make", side));
    if (::rename(side.c_str(), path.c_str()) == 0) return {};
    const std::string error = with_reason("replace", path);
    ::unlink(side.c_str());
    return tl::unexpected(error);
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = ::write(fd, text.data(), text.size());
        if (size <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

}  // namespace

DumpDirectories host_dump_directories() {
    DumpDirectories directories;
    const char* chosen = std::getenv("TMPDIR");
    if (chosen != nullptr && *chosen == '/') directories.chosen = chosen;
    return directories;
}

DumpPlace dump_place(DumpKind kind, const config::GlobalDefinitions& global, const DumpDirectories& directories) {
    const auto [usual, configured] = naming_of(kind, global);
    const std::string suffix = suffix_of(global);
    if (configured.ends_with('/')) return {fmt::format("{}{}{}", configured, usual, suffix), ""};
    if (configured.starts_with('/')) return {fmt::format("{}{}", configured, suffix), ""};
    const std::string name = fmt::format("{}{}", configured.empty() ? usual : configured, suffix);
    if (!directories.chosen.empty()) return {directories.chosen + '/' + name, ""};
    return {directories.own + '/' + name, directories.usual + '/' + name};
}

tl::expected<void, std::string> write_dump_file(const DumpPlace& place, std::string_view text) {
    if (!place.link.empty() && ::mkdir(parent_of(place.path).c_str(), 0755) != 0 && errno != EEXIST) {
        return tl::unexpected(with_reason("make", parent_of(place.path)));
    }
    std::string side = place.path + ".XXXXXX";
    const int fd = ::mkstemp(side.data());
    if (fd < 0) return tl::unexpected(with_reason("create", side));
    const bool is_written = ::fchmod(fd, 0644) == 0 && write_all(fd, text);
    const int write_error = errno;
    ::close(fd);
    errno = write_error;
    if (!is_written || ::rename(side.c_str(), place.path.c_str()) != 0) {
        const std::string error = with_reason("write", place.path);
        ::unlink(side.c_str());
        return tl::unexpected(error);
    }
    return place.link.empty() ? tl::expected<void, std::string>{} : put_link(place.path, place.link);
}

}  // namespace vigil::daemon
