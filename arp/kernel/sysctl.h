#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "arp/kernel/netlink.h"
#include "packet/units.h"

namespace vigil::arp::kernel {

/// A setting below /proc/sys, as path relative to it: "net/ipv4/conf/vrrp.51/rp_filter". Interface names hold dots, so the
/// dotted form is only an input format (sysctl_path_from_dots).
using SysctlPath = std::string;

/// net/ipv{4,6}/conf/INTERFACE/SETTING. Empty when the name could leave the directory ('/', "." or "..", empty).
SysctlPath interface_setting(Family family, std::string_view interface_name, std::string_view setting);
/// "net.ipv4.conf.vrrp.51.rp_filter" -> "net/ipv4/conf/vrrp.51/rp_filter": below net.ipv4|ipv6 conf and neigh, everything
/// between the fourth and the last word is the interface's name. Elsewhere every dot separates.
SysctlPath sysctl_path_from_dots(std::string_view dotted);

/// The value without its newline. Settings of net/ are those of the calling thread's network namespace.
KernelResult<std::string> read_sysctl(const SysctlPath& path);
KernelResult<void> write_sysctl(const SysctlPath& path, std::string_view value);

/// Changes settings of others (base interfaces, "all") and gives them back. The old values can be kept in a file as well,
/// so that a killed run's successor finds them. Control thread only; destroying it restores nothing.
class SysctlKeeper {
public:
    /// `journal`: a file in a directory of ours (created when the first setting changes, removed by restore_all()), or empty
    /// for memory only.
    explicit SysctlKeeper(std::filesystem::path journal = {});

    /// Restores what a killed run left in the journal; returns what failed. Call once, before any set().
    std::vector<KernelError> restore_leftovers();
    /// Writes the value and remembers the first old one. Nothing is remembered when the value is already there.
    KernelResult<void> set(const SysctlPath& path, std::string_view value);
    /// A setting that somebody changed after us stays as it is; one whose interface is gone is skipped.
    std::vector<KernelError> restore_all();
    /// The same for one, as if it had never been set.
    KernelResult<void> give_back(const SysctlPath& path);
    std::size_t saved_count() const { return saved_.size(); }

private:
    struct Saved {
        SysctlPath path;
        std::string before;
        std::string ours;
    };

    KernelResult<void> append_to_journal(const Saved& entry) const;
    void restore(const Saved& saved, std::vector<KernelError>& failures) const;

    std::filesystem::path journal_;
    std::vector<Saved> saved_;
};

/// rp_filter of "all" applies to every interface (the kernel takes the larger), so a macvlan with the virtual MAC could not
/// be exempt: raises every interface and "default" to the value of "all", then sets "all" to 0.
KernelResult<void> push_down_reverse_path_filter(SysctlKeeper& keeper);

}  // namespace vigil::arp::kernel
