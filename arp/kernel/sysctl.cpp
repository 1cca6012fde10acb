// Settings below /proc/sys, and how they come back.
//
// A macvlan with the virtual MAC needs a few settings on interfaces that are not ours: the base must not answer ARP for the
// macvlan's addresses, and rp_filter of "all" must not apply to it. SysctlKeeper remembers what was there. Since a kill -9
// leaves the changed values behind and the next run would take them for the operator's, each change is first appended to
// a journal file (path, old value, our value; tab-separated, one line each); the next start restores from it. The file
// belongs on a tmpfs such as /run: after a reboot the settings are gone as well.
//
// Each note carries the operator's value, also when we change a setting again, so the order of giving back does not matter.
// A setting is given back only while it still has the value that we wrote: whoever changed it after us knew what they wanted.

#include "arp/kernel/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <utility>

namespace vigil::arp::kernel {

namespace {

constexpr std::string_view root = "/proc/sys/";

/// A file descriptor that closes itself; -1 when open failed.
class File {
public:
    File(const std::string& path, int flags, mode_t mode = 0) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int fd() const { return fd_; }

private:
    int fd_;
};

bool is_safe_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

KernelResult<void> write_whole(int fd, std::string_view text, const std::string& path) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) return refused(errno, "write " + path);
    if (static_cast<std::size_t>(written) != text.size()) return refused(EIO, "write " + path + " in one piece");
    return {};
}

int to_int(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

SysctlPath interface_setting(Family family, std::string_view interface_name, std::string_view setting) {
    if (!is_safe_name(interface_name) || !is_safe_name(setting)) return {};
    SysctlPath path = family == Family::ipv4 ? "net/ipv4/conf/" : "net/ipv6/conf/";
    path.append(interface_name).append("/").append(setting);
    return path;
}

SysctlPath sysctl_path_from_dots(std::string_view dotted) {
    for (const std::string_view start : {"net.ipv4.conf.", "net.ipv6.conf.", "net.ipv4.neigh.", "net.ipv6.neigh."}) {
        const std::size_t last_dot = dotted.rfind('.');
        if (!dotted.starts_with(start) || last_dot <= start.size()) continue;
        SysctlPath path(start);
        std::ranges::replace(path, '.', '/');
        path.append(dotted.substr(start.size(), last_dot - start.size())).append("/").append(dotted.substr(last_dot + 1));
        return path;
    }
    SysctlPath path(dotted);
    std::ranges::replace(path, '.', '/');
    return path;
}

KernelResult<std::string> read_sysctl(const SysctlPath& path) {
    const std::string full = std::string(root) + path;
    const File file(full, O_RDONLY);
    if (file.fd() < 0) return refused(errno, "open " + full);
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(file.fd(), buffer.data(), buffer.size());
    if (size < 0) return refused(errno, "read " + full);
    std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    while (text.ends_with('\n')) text.remove_suffix(1);
    return std::string(text);
}

KernelResult<void> write_sysctl(const SysctlPath& path, std::string_view value) {
    const std::string full = std::string(root) + path;
    const File file(full, O_WRONLY);
    if (file.fd() < 0) return refused(errno, "open " + full);
    return write_whole(file.fd(), std::string(value) + "\n", full);
}

SysctlKeeper::SysctlKeeper(std::filesystem::path journal) : journal_(std::move(journal)) {}

std::vector<KernelError> SysctlKeeper::restore_leftovers() {
    std::vector<KernelError> failures;
    if (journal_.empty()) return failures;
    std::ifstream file(journal_);
    for (std::string line; std::getline(file, line);) {
        // A line cut short by the kill was not yet followed by the change it announces.
        const std::size_t first = line.find('\t');
        const std::size_t second = first == std::string::npos ? first : line.find('\t', first + 1);
        if (second == std::string::npos || file.eof()) continue;
        restore({line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)}, failures);
    }
    std::error_code ignored;
    std::filesystem::remove(journal_, ignored);
    return failures;
}

KernelResult<void> SysctlKeeper::set(const SysctlPath& path, std::string_view value) {
    const auto before = read_sysctl(path);
    if (!before) return tl::unexpected(before.error());
    if (*before == value) return {};
    const auto known = std::ranges::find(saved_, path, &Saved::path);
    const Saved entry{path, known == saved_.end() ? *before : known->before, std::string(value)};
    if (auto noted = append_to_journal(entry); !noted) return noted;
    if (auto written = write_sysctl(path, value); !written) return written;
    if (known == saved_.end()) {
        saved_.push_back(entry);
    } else {
        *known = entry;
    }
    return {};
}

std::vector<KernelError> SysctlKeeper::restore_all() {
    std::vector<KernelError> failures;
    for (const Saved& saved : saved_) restore(saved, failures);
    saved_.clear();
    std::error_code ignored;
    if (!journal_.empty()) std::filesystem::remove(journal_, ignored);
    return failures;
}

/// Its lines in the journal stay: they would bring back the same value.
KernelResult<void> SysctlKeeper::give_back(const SysctlPath& path) {
    const auto known = std::ranges::find(saved_, path, &Saved::path);
    if (known == saved_.end()) return {};
    std::vector<KernelError> failures;
    restore(*known, failures);
    saved_.erase(known);
    if (!failures.empty()) return tl::unexpected(std::move(failures.front()));
    return {};
}

void SysctlKeeper::restore(const Saved& saved, std::vector<KernelError>& failures) const {
    const auto now = read_sysctl(saved.path);
    if (!now && now.error().error_number == ENOENT) return;
    if (!now) {
        failures.push_back(now.error());
        return;
    }
    if (*now != saved.ours) return;
    if (auto written = write_sysctl(saved.path, saved.before); !written) failures.push_back(written.error());
}

KernelResult<void> SysctlKeeper::append_to_journal(const Saved& entry) const {
    if (journal_.empty()) return {};
    const File file(journal_.string(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
    if (file.fd() < 0) return refused(errno, "open " + journal_.string());
    return write_whole(file.fd(), entry.path + '\t' + entry.before + '\t' + entry.ours + '\n', journal_.string());
}

KernelResult<void> push_down_reverse_path_filter(SysctlKeeper& keeper) {
    const SysctlPath all = interface_setting(Family::ipv4, "all", "rp_filter");
    const auto shared = read_sysctl(all);
    if (!shared) return tl::unexpected(shared.error());
    if (to_int(*shared) == 0) return {};
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(root) + "net/ipv4/conf", error)) {
        const std::string name = entry.path().filename();
        const SysctlPath own = interface_setting(Family::ipv4, name, "rp_filter");
        const auto value = read_sysctl(own);
        // An interface that vanished meanwhile needs nothing; "all" stays as it is when any other cannot be raised.
        if (name == "all" || !value || to_int(*value) >= to_int(*shared)) continue;
        if (auto raised = keeper.set(own, *shared); !raised && raised.error().error_number != ENOENT) return raised;
    }
    if (error) return refused(error.value(), "list the interfaces below /proc/sys/net/ipv4/conf");
    return keeper.set(all, "0");
}

}  // namespace vigil::arp::kernel
